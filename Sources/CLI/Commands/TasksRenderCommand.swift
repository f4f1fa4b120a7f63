import ArgumentParser
import Dagrun
import Foundation
import Preparation
import Presentation

struct TasksRenderCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "render", abstract: "Shows a task's templates with the values of a date.",
    discussion: """
      Outputs of other tasks come from the run of that date, or from the newest one that has them; where there is none \
      they stand as '<output of …>'.
      """)

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The task.") var task: String
  @Argument(help: "The logical date.", transform: DateText.read) var date: DateArgument
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let description = try await workspace.dagFiles().dag(dag)
    let moment = try workspace.logicalDate(date, of: description, now: Timestamp(Date()))
    let rehearsal = try TaskRehearsal(description.task(task), of: description, at: moment, conf: nil, in: workspace)
    let rendered = try rehearsal.rendered()
    if format.output == .table {
      guard !rendered.fields.isEmpty else {
        session.errors.line("\(task) has no templates (\(rehearsal.task.operatorName))")
        return .success
      }
      for field in rendered.fields {
        session.output.line(session.output.style.bold("\(field.name):"))
        session.output.write(field.value.cell + "\n")
      }
    } else {
      try rendered.print(format.output, to: session)
    }
    return .success
  }
}

extension TaskRehearsal {
  /// Empty for a task without templates. The names are Airflow's, of its operators' fields.
  fileprivate func rendered() throws -> OutputObject {
    var record = OutputObject([])
    let rendered = try shown()
    if let script = rendered.script { record.append("bash_command", .text(script)) }
    if let job = task.work.job {
      let specs = try rendered.jobs.map { try OutputValue(encoding: $0) }
      record.append(job.isGroup ? "specs" : "spec", job.isGroup ? .list(specs) : specs[0])
    }
    if let folder = rendered.workingDirectory { record.append("cwd", .text(folder)) }
    if !rendered.environment.isEmpty {
      let sorted = rendered.environment.sorted { $0.key < $1.key }
      record.append("env", .object(OutputObject(sorted.map { ($0.key, .text($0.value)) })))
    }
    return record
  }
}
