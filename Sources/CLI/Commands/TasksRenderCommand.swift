import ArgumentParser
import Dagrun
import Foundation

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

  func execute(in session: Session) async throws -> ExitStatus {
    let workspace = try Workspace(session, global)
    let description = try await workspace.dagFiles().dag(dag)
    let moment = try workspace.logicalDate(date, of: description, now: Timestamp(Date()))
    let trial = try TrialRun(description.task(task), of: description, at: moment, conf: nil, in: workspace)
    let rendered = try trial.rendered()
    if format.output == .table {
      guard !rendered.fields.isEmpty else {
        session.errors.line("\(task) has no templates (\(trial.task.work.operatorName))")
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

extension TrialRun {
  /// Empty for a task without templates. The names are Airflow's, of its operators' fields.
  fileprivate func rendered() throws -> Record {
    var record = Record([])
    func text(_ template: Template, for context: Template.Context) throws -> Datum {
      .text(try render(template, for: context, standIns: true))
    }
    switch task.work {
    case .empty, .swift: break
    case .bash(let script): record.append("bash_command", try text(script, for: .shell))
    case .computeEngineJob(let job):
      let specs = try job.specs.map { spec in
        try Datum(encoding: spec.render(job.job) { try render($0, for: $1, standIns: true) })
      }
      record.append(job.isGroup ? "specs" : "spec", job.isGroup ? .list(specs) : specs[0])
    }
    if let folder = task.workingDirectory { record.append("cwd", try text(folder, for: .plain)) }
    if !task.environment.isEmpty {
      let sorted = task.environment.sorted { $0.key < $1.key }
      record.append("env", .object(Record(try sorted.map { ($0.key, try text($0.value, for: .plain)) })))
    }
    return record
  }
}
