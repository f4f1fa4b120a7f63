import ArgumentParser
import Dagrun
import Model
import Presentation
import Storage

struct DAGsListCommand: Command {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the DAGs.")

  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let files = try await workspace.dagFiles()
    let summaries = try workspace.dagSummaries()
    let records = files.dags.map { dag in
      var record = dag.record(isPaused: summaries[dag.id]?.record.isPaused ?? false)
      let lastRun = summaries[dag.id]?.lastRun
      record.append("last_run_id", .optional(lastRun?.runID))
      record.append("last_run_state", .optional(lastRun?.state.rawValue))
      record.append("unfinished_runs", .int(summaries[dag.id]?.unfinishedRuns ?? 0))
      return record
    }
    let listing = Listing(
      records: records, columns: ["dag_id", "timetable_summary", "is_paused", "last_run_state", "tags", "fileloc"],
      whenEmpty: "there are no DAGs in \(workspace.places.dagsFolder)")
    try listing.print(format.output, to: session)
    files.mentionImportErrors(to: session)
    return .success
  }
}
