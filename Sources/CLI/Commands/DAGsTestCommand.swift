import ArgumentParser
import Dagrun

struct DAGsTestCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Runs a DAG to its end in a temporary home, with the logs. Leaves no trace.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The logical date; default: now.", transform: DateText.parse) var date: Timestamp?
  @Option(name: .shortAndLong, help: ArgumentHelp("Values for the DAG's parameters: a JSON object.", valueName: "json"))
  var conf: String?
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> ExitStatus {
    .success
  }
}
