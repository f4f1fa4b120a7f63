import ArgumentParser
import Dagrun
import Scheduling
import Storage

struct TasksRenderCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "render", abstract: "Shows a task's templates with the values of a date.",
    discussion: """
      Outputs of other tasks come from the run of that date, where there is one; otherwise they stand as \
      '<output of …>'.
      """)

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The task.") var task: String
  @Argument(help: "The logical date.", transform: DateText.parse) var date: Timestamp
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> ExitStatus {
    let workspace = try Workspace(session, global)
    let files = try await workspace.dagFiles()
    let description = try files.dag(dag)
    let found = try description.task(task)
    let rendered = try RenderedTask(found, of: description, at: date, workspace: workspace).record
    if format.output == .table {
      guard !rendered.fields.isEmpty else {
        session.errors.line("\(task) has no templates (\(found.work.operatorName))")
        return .success
      }
      for field in rendered.fields {
        session.output.line(session.output.style.bold("\(field.name):"))
        session.output.line(field.value.cell)
      }
    } else {
      try rendered.print(format.output, to: session)
    }
    return .success
  }
}

extension DAGDescription {
  /// - Throws: exit code 3.
  func task(_ taskID: String) throws -> TaskDescription {
    if let task = tasks.first(where: { $0.id == taskID }) { return task }
    throw Complaint(
      notFound: "task", taskID, among: tasks.map(\.id), hint: "'dagrun tasks list \(id)' lists those of \(id)")
  }
}

/// The templates of a task with their values, as far as these are known before it runs.
private struct RenderedTask {
  /// Empty for a task without templates.
  var record = Record([])

  init(_ task: TaskDescription, of dag: DAGDescription, at date: Timestamp, workspace: Workspace) throws {
    let reader = try workspace.reader()
    let run = try reader?.listRuns(RunFilter(dagID: dag.id, fromDate: date, toDate: date, limit: 1)).first
    let previous = try reader?.previousSuccessfulRun(dagID: dag.id, before: date)
    let interval = run?.dataInterval ?? Timetable(dag.schedule)?.first(notBefore: date)?.dataInterval
    let context = RunContext(
      dagID: dag.id, runID: run?.runID ?? "manual__\(date.iso8601)", logicalDate: date,
      dataIntervalStart: interval?.start ?? date, dataIntervalEnd: interval?.end ?? date,
      runAfter: run?.runAfter ?? interval?.end ?? date, previousSuccessStart: previous?.dataInterval?.start,
      previousSuccessEnd: previous?.dataInterval?.end,
      parameters: try Self.parameters(of: dag, conf: run?.conf ?? "{}"),
      variables: Dictionary(uniqueKeysWithValues: try workspace.variables().map { ($0.key, $0.value) }))
    var outputs = Dictionary(uniqueKeysWithValues: task.upstream.map { ($0, "\"<output of \($0)>\"") })
    if let run, let reader { outputs.merge(try reader.outputs(run: run.number, task.upstream)) { $1 } }
    let values = Template.Values(run: context, taskID: task.id, tryNumber: 1, outputs: outputs)
    try add(task, values)
  }

  private static func parameters(of dag: DAGDescription, conf: String) throws -> [String: JSONValue] {
    do {
      return try dag.resolveParameters(conf: conf)
    } catch {
      throw Complaint(.wrongUsage, "\(error)", hint: "'dagrun dags details \(dag.id)' shows the parameters")
    }
  }

  private mutating func add(_ task: TaskDescription, _ values: Template.Values) throws {
    func render(_ template: Template, for context: Template.Context) throws -> Datum {
      do {
        return .text(try template.render(values, for: context))
      } catch let error as RenderError {
        throw Complaint(.wrongUsage, "\(task.id): \(error)")
      }
    }
    switch task.work {
    case .empty, .swift: break
    case .bash(let script): record.append("bash_command", try render(script, for: .shell))
    case .computeEngineJob(let job):
      record.append("command", .list(try job.command.map { try render($0, for: .plain) }))
    }
    if let folder = task.workingDirectory { record.append("cwd", try render(folder, for: .plain)) }
    if !task.environment.isEmpty {
      let names = task.environment.sorted { $0.key < $1.key }
      record.append("env", .object(Record(try names.map { ($0.key, try render($0.value, for: .plain)) })))
    }
  }
}
