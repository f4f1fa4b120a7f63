import ArgumentParser
import Control
import Dagrun
import Foundation
import Model
import Presentation
import Scheduling
import Storage
import Synchronization

struct TriggerCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "trigger",
    abstract: "Runs a DAG now, to its end.",
    discussion: """
      Where a scheduler runs, it gets the run and this command follows it; where none runs, this command is the \
      scheduler until the run has ended. Ctrl-C cancels the run, and waits until its jobs are removed; a second Ctrl-C \
      leaves at once. A run that can never continue ends as failed.

      With --run-id a caller may repeat the command: an unfinished run of that id is followed, a finished one is \
      reported with its exit code, another conf for the same id is refused.
      """)

  @OptionGroup var options: TriggerOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    try await options.trigger(Workspace(session, global))
  }
}

/// As Airflow calls it.
struct DAGsTriggerCommand: Command {
  static let configuration = CommandConfiguration(commandName: "trigger", abstract: "The same as 'dagrun trigger'.")

  @OptionGroup var options: TriggerOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    try await options.trigger(Workspace(session, global))
  }
}

struct TriggerOptions: ParsableArguments {
  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Option(name: .shortAndLong, help: ArgumentHelp("Values for the DAG's parameters: a JSON object.", valueName: "json"))
  var conf: String?
  @Option(name: .shortAndLong, help: "The run's id; makes the command safe to repeat.") var runId: String?
  @Option(
    name: .shortAndLong, help: ArgumentHelp("The date the run is for.", valueName: "date"), transform: DateText.read)
  var logicalDate: DateArgument?
  @Flag(help: "Do not wait for the run's end.") var noWait = false
  @OptionGroup var format: FormatOption
  @OptionGroup var parallelism: ParallelismOption

  func validate() throws {
    if let runId, runId.isEmpty { throw ValidationError("--run-id is empty") }
  }

  func trigger(_ workspace: Workspace) async throws -> CommandExit {
    let conf = try ConfText.check(conf)
    // A run with an id can be asked for again, should the scheduler leave before it answers.
    var date: Timestamp?
    if let logicalDate { date = await workspace.moment(logicalDate, of: dag) }
    let runID = runId ?? (date == nil ? "manual__\(Timestamp(Date()).iso8601)" : nil)
    let request = ControlRequest.trigger(dagID: dag, runID: runID, logicalDate: date, conf: conf)
    if noWait {
      let (run, created) = try Self.run(from: await workspace.ask(request))
      if created { Self.tellOfSchedule(run, workspace) }
      try report(run, workspace)
      if !run.state.isFinished { workspace.mentionWhatRuns("the run") }
      return run.state == .failed ? .runFailed : .success
    }
    if try !hasEnded(in: workspace) {
      try workspace.refusePaused(
        dag, hint: "'dagrun dags unpause \(dag)' lets it run; --no-wait stores the run until then")
    }
    let ended = try await follow(request, workspace)
    try report(ended.run, workspace, counts: ended.counts)
    return ended.run.state == .success ? .success : .runFailed
  }

  /// The run of that id needs no scheduler any more.
  private func hasEnded(in workspace: Workspace) throws -> Bool {
    guard let runId else { return false }
    return try workspace.reader()?.run(dagID: dag, runID: runId)?.state.isFinished ?? false
  }

  /// Until the run has ended, also when the process that is the scheduler leaves before.
  private func follow(_ request: ControlRequest, _ workspace: Workspace) async throws -> RunProgress {
    let known = Mutex<RunSummary?>(nil)
    return try await workspace.withScheduler(parallelism: parallelism.parallelism) { control in
      let run: RunSummary
      if let before = known.withLock({ $0 }) {
        run = before
      } else {
        let created: Bool
        (run, created) = try Self.run(from: await control.send(request))
        known.withLock { $0 = run }
        if created { Self.tellOfSchedule(run, workspace) }
        if !created {
          let verb = run.state.isFinished ? "has already ended" : "exists already: following it"
          workspace.session.errors.line("run \(run.runID) of \(run.dagID) \(verb)")
        }
      }
      let follower = RunFollower(
        control: control, session: workspace.session, showsProgress: !run.state.isFinished)
      do {
        return try await follower.follow(run)
      } catch let userError as UserError {
        try await workspace.waitUntilJobsAreRemoved(ofRuns: [run.number], control)
        throw userError
      }
    }
  }

  /// A scheduled run is never lost in silence.
  private static func tellOfSchedule(_ run: RunSummary, _ workspace: Workspace) {
    guard run.standsForScheduled, let date = run.logicalDate else { return }
    workspace.session.errors.line(
      "run \(run.runID) of \(run.dagID) stands for the scheduled run of \(date.iso8601): the schedule makes no other")
  }

  private static func run(from reply: ControlReply) throws -> (RunSummary, created: Bool) {
    guard case .run(let run, let created) = reply else { throw UserError(unexpected: reply) }
    return (run, created)
  }

  /// For a program that waits for the run, and tells a person why it failed.
  private static func failedTasks(of run: RunSummary, in workspace: Workspace) throws -> OutputValue {
    let tasks = try workspace.existingReader().taskInstances(run: run.number)
    let failed = tasks.filter { [.failed, .upstreamFailed].contains($0.instance.state) }
    return .list(failed.map { .object($0.failureRecord) })
  }

  private func report(_ run: RunSummary, _ workspace: Workspace, counts: [String: Int] = [:]) throws {
    let session = workspace.session
    if run.state.isFinished { try workspace.tellLosses(ofRun: run.number) }
    guard format.output == .table else {
      var record = run.record
      record.append("failed_tasks", try Self.failedTasks(of: run, in: workspace))
      return try record.print(format.output, to: session)
    }
    session.output.line(ProgressView.summary(run, counts: counts, style: session.output.style))
  }
}
