import ArgumentParser
import Dagrun
import Foundation
import Model
import Presentation
import Scheduling
import Storage

struct DAGsNextExecutionCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "next-execution", abstract: "Shows when a DAG's next scheduled runs are due.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Option(name: [.short, .long], help: "How many runs.", transform: BoundedNumber.whole(.numExecutions))
  var numExecutions = 1
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard (1...1000).contains(numExecutions) else {
      throw ValidationError("--num-executions must be from 1 to 1000, not \(numExecutions)")
    }
  }

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let files = try await workspace.dagFiles()
    let description = try files.dag(dag)
    let summary = try workspace.dagSummaries()[dag]
    let runs = UpcomingRuns.of(
      description, after: summary?.record.lastScheduled, count: numExecutions, now: Timestamp(Date()))
    let listing = Listing(
      records: runs.map(\.record), columns: ["logical_date", "run_after"],
      whenEmpty: "\(dag) has no more scheduled runs (schedule: \(description.schedule.summary))")
    try listing.print(format.output, to: session)
    if summary?.record.isPaused == true {
      session.errors.line("\(dag) is paused: it makes no scheduled runs until 'dagrun dags unpause \(dag)'")
    }
    return .success
  }
}
