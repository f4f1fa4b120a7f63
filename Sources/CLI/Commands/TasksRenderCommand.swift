import ArgumentParser
import Dagrun

struct TasksRenderCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "render", abstract: "Shows a task's templates with the values of a date.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The task.") var task: String
  @Argument(help: "The logical date.", transform: DateText.parse) var date: Timestamp
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> ExitStatus {
    .success
  }
}
