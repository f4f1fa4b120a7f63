import ArgumentParser
import Control
import Dagrun
import Foundation
import Model
import Presentation
import Scheduling
import Storage
import Synchronization

struct BackfillCreateCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Makes and runs the runs of a DAG between two dates, both included.",
    discussion: """
      The dates are logical dates; one without a time is the whole day in the time zone of the DAG's schedule. Only \
      intervals that have ended count. --reprocess-behavior says what happens to runs that exist and have ended: none \
      leaves them, failed clears those that failed, completed clears all. Where a task depends on its past, none is \
      refused, and failed is what happens without the option; else it is none.
      """)

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Option(help: ArgumentHelp("The first logical date.", valueName: "date"), transform: DateText.read)
  var fromDate: DateArgument
  @Option(help: ArgumentHelp("The last logical date.", valueName: "date"), transform: DateText.read)
  var toDate: DateArgument
  @Flag(help: "The newest run first.") var runBackwards = false
  @Option(help: "How many of these runs may be under way at once.", transform: BoundedNumber.whole(.backfillRuns))
  var maxActiveRuns = 10
  @Option(help: "What to do with runs that exist already.") var reprocessBehavior: Backfill.ReprocessBehavior?
  @Option(help: "Only tasks whose whole id matches this regular expression.") var taskRegex: String?
  @Flag(help: "Show the plan and change nothing.") var dryRun = false
  @Option(name: .shortAndLong, help: ArgumentHelp("Values for the DAG's parameters: a JSON object.", valueName: "json"))
  var conf: String?
  @Flag(help: "Do not wait for the runs' end.") var noWait = false
  @OptionGroup var format: FormatOption
  @OptionGroup var parallelism: ParallelismOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    try DateRange(first: fromDate, last: toDate).check("--from-date", "--to-date")
    try RegularExpression.check(taskRegex, of: "--task-regex")
  }

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let zone = await workspace.timeZone(of: dag, for: [fromDate, toDate])
    let now = Timestamp(Date())
    var parameters = BackfillParameters(
      dagID: dag, fromDate: fromDate.start(in: zone, now: now), toDate: toDate.end(in: zone, now: now))
    parameters.maxActiveRuns = maxActiveRuns
    parameters.runsBackwards = runBackwards
    parameters.reprocess = reprocessBehavior
    parameters.taskRegex = taskRegex
    parameters.conf = try ConfText.check(conf)
    parameters.isDryRun = dryRun

    if dryRun || noWait {
      let (_, rows) = try Self.backfill(from: await workspace.ask(.backfill(parameters)))
      try print(rows, to: session)
      if !dryRun { workspace.mentionWhatRuns("the backfill") }
      return .success
    }
    try workspace.refusePaused(
      dag, hint: "'dagrun dags unpause \(dag)' lets it run; --no-wait stores the runs until then")
    let ended = try await follow(.backfill(parameters), workspace)
    for run in ended { try workspace.tellLosses(ofRun: run.number, named: run.runID) }
    if format.output == .table {
      session.output.line(BackfillFollower.summary(ended, of: dag, style: session.output.style))
    } else {
      let listing = Listing(
        records: ended.map(\.record), columns: ["dag_run_id", "state", "logical_date"], whenEmpty: "")
      try listing.print(format.output, to: session)
    }
    return ended.allSatisfy { $0.state == .success } ? .success : .runFailed
  }

  /// Until all its runs have ended, also when the process that is the scheduler leaves before.
  private func follow(_ request: ControlRequest, _ workspace: Workspace) async throws -> [RunSummary] {
    let known = Mutex<(number: Int64, runs: [DAGRun])?>(nil)
    return try await workspace.withScheduler(parallelism: parallelism.parallelism) { control in
      let number: Int64
      let runs: [DAGRun]
      if let before = known.withLock({ $0 }) {
        (number, runs) = before
      } else {
        let rows: [BackfillRow]
        (number, rows) = try Self.backfill(from: await control.send(request))
        let reader = try workspace.existingReader()
        runs = try rows.filter(\.isWork).compactMap { try reader.run(dagID: dag, runID: $0.runID) }
        known.withLock { $0 = (number, runs) }
      }
      let follower = BackfillFollower(control: control, session: workspace.session, dagID: dag, backfill: number)
      do {
        return try await follower.follow(runs)
      } catch let userError as UserError {
        try await workspace.waitUntilJobsAreRemoved(ofRuns: runs.map(\.number), control)
        throw userError
      }
    }
  }

  private static func backfill(from reply: ControlReply) throws -> (number: Int64, rows: [BackfillRow]) {
    guard case .backfill(let number, let rows) = reply else { throw UserError(unexpected: reply) }
    return (number, rows)
  }

  private func print(_ rows: [BackfillRow], to session: Session) throws {
    let listing = Listing(
      records: rows.map { $0.record(dagID: dag) }, columns: ["logical_date", "dag_run_id", "verdict"],
      whenEmpty: "there is nothing to run")
    try listing.print(format.output, to: session)
  }
}

extension BackfillRow {
  /// The run is made, or runs again.
  fileprivate var isWork: Bool { verdict == "create" || verdict == "clear" }
}

extension Backfill.ReprocessBehavior: ExpressibleByArgument {}

struct BackfillListCommand: Command {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the backfills.")

  @Argument(help: "Only those of this DAG.", completion: .dags) var dag: String?
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) throws -> CommandExit {
    let backfills = try Workspace(session, global).backfills(of: dag)
    let listing = Listing(
      records: backfills.map(\.record),
      columns: ["id", "dag_id", "from_date", "to_date", "reprocess_behavior", "created_at", "completed_at"],
      whenEmpty: "there are no backfills")
    try listing.print(format.output, to: session)
    return .success
  }
}

struct BackfillCancelCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Cancels a backfill: its queued runs are not started.")

  @Argument(help: "The backfill's id, as 'dagrun backfill list' shows it.") var id: Int64
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    _ = try await workspace.ask(.cancelBackfill(number: id))
    session.output.line("backfill \(id) is cancelled")
    return .success
  }
}
