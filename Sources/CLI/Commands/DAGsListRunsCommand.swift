import ArgumentParser
import Dagrun
import Model
import Presentation
import Scheduling
import Storage

struct DAGsListRunsCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "list-runs", abstract: "Lists the runs of a DAG, the newest first.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Option(help: "Only runs in this state.") var state: DAGRunState?
  @Option(name: .shortAndLong, help: "Only runs with this logical date or a later one.", transform: DateText.read)
  var startDate: DateArgument?
  @Option(name: .shortAndLong, help: "Only runs with this logical date or an earlier one.", transform: DateText.read)
  var endDate: DateArgument?
  @Option(name: .shortAndLong, help: "At most so many runs.", transform: BoundedNumber.whole(.listLimit))
  var limit: Int?
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  private var dates: DateRange { DateRange(first: startDate, last: endDate) }

  func validate() throws {
    try dates.check("--start-date", "--end-date")
  }

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let (first, last) = await dates.moments(of: dag, in: workspace)
    let filter = RunFilter(dagID: dag, state: state, fromDate: first, toDate: last, limit: limit)
    let runs = try workspace.reader()?.listRuns(filter) ?? []
    // A DAG that has runs is known, whether its file is still there or not.
    if runs.isEmpty { try await workspace.checkDAGExists(dag) }
    let nearest = runs.isEmpty ? try workspace.nearestRuns(of: dag, first: first, last: last) : ""
    let listing = Listing(
      records: runs.map(\.record),
      columns: ["dag_run_id", "run_type", "state", "logical_date", "start_date", "end_date"],
      whenEmpty: "there are no such runs of \(dag)\(nearest)")
    try listing.print(format.output, to: session)
    return .success
  }
}

extension DAGRunState: ExpressibleByArgument {}
