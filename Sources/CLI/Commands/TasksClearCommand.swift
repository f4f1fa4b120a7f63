import ArgumentParser
import Control
import Dagrun
import Model
import Presentation
import Scheduling

struct TasksClearCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "clear",
    abstract: "Makes tasks of past runs run again: shows which, asks, and clears them.",
    discussion: """
      With a task its setups and teardowns are cleared, as in Airflow; with --only-failed only those that failed. \
      Cleared tasks run on the newest version of the DAG file, unless --keep-version is given. \
      Without --run-id and dates, tasks of all runs of the DAG are meant.
      """)

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Option(name: .shortAndLong, help: "Only tasks in whose id this regular expression is found.") var taskRegex: String?
  @Option(name: .shortAndLong, help: "Only runs with this logical date or a later one.", transform: DateText.read)
  var startDate: DateArgument?
  @Option(name: .shortAndLong, help: "Only runs with this logical date or an earlier one.", transform: DateText.read)
  var endDate: DateArgument?
  @Option(help: "Only this run, or 'latest'.") var runId: String?
  @Flag(name: .shortAndLong, help: "Also tasks upstream of those.") var upstream = false
  @Flag(name: .shortAndLong, help: "Also tasks downstream of those.") var downstream = false
  @Flag(name: [.customShort("f"), .long], help: "Only tasks that failed.") var onlyFailed = false
  @Flag(help: "Run them as the run was planned, not as the file is now.") var keepVersion = false
  @Flag(name: .shortAndLong, help: "Do not ask.") var yes = false
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  private var dates: DateRange { DateRange(first: startDate, last: endDate) }

  func validate() throws {
    try dates.check("--start-date", "--end-date")
    try RegularExpression.check(taskRegex, of: "--task-regex")
  }

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    var selection = TaskSelection(dagID: dag)
    if let runId { selection.runID = try await workspace.run(dag, runId).runID }
    selection.taskRegex = taskRegex
    (selection.startDate, selection.endDate) = await dates.moments(of: dag, in: workspace)
    selection.withUpstream = upstream
    selection.withDownstream = downstream
    selection.onlyFailed = onlyFailed

    selection.isDryRun = true
    let planned = try await clear(selection, workspace)
    guard !planned.isEmpty else {
      let nearest = try workspace.nearestRuns(of: dag, first: selection.startDate, last: selection.endDate)
      try print(planned, to: session, nearest: nearest)
      return .success
    }
    if !yes {
      let listing = Listing(records: planned.map { $0.record(dagID: dag) }, columns: Self.columns, whenEmpty: "")
      try listing.print(.table, to: session.withOutputToErrors)
      try session.confirm("Clear \(planned.count == 1 ? "this task" : "these \(planned.count) tasks")?")
    }
    selection.isDryRun = false
    let cleared = try await clear(selection, workspace)
    try print(cleared, to: session)
    workspace.mentionWhatRuns("what was cleared")
    return .success
  }

  private func print(_ tasks: [ClearedTask], to session: Session, nearest: String = "") throws {
    let listing = Listing(
      records: tasks.map { $0.record(dagID: dag) }, columns: Self.columns,
      whenEmpty: "nothing to clear in \(dag)\(nearest)")
    try listing.print(format.output, to: session)
  }

  private static let columns = ["dag_run_id", "task_id", "state"]

  private func clear(_ selection: TaskSelection, _ workspace: Workspace) async throws -> [ClearedTask] {
    switch try await workspace.ask(.clear(selection, onNewestVersion: !keepVersion)) {
    case .cleared(let tasks): return tasks
    case let other: throw UserError(unexpected: other)
    }
  }
}
