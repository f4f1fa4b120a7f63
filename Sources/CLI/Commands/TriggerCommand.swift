import ArgumentParser
import Dagrun
import Engine
import Scheduling

struct TriggerCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "trigger",
    abstract: "Runs a DAG now, to its end.",
    discussion: """
      Where a scheduler runs, it gets the run and this command follows it; where none runs, this command is the \
      scheduler until the run has ended. Ctrl-C cancels the run; a second Ctrl-C leaves at once.

      With --run-id a caller may repeat the command: an unfinished run of that id is followed, a finished one is \
      reported with its exit code, another conf for the same id is refused.
      """)

  @OptionGroup var options: TriggerOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> ExitStatus {
    try await options.trigger(Workspace(session, global))
  }
}

/// As Airflow calls it.
struct DAGsTriggerCommand: Command {
  static let configuration = CommandConfiguration(commandName: "trigger", abstract: "The same as 'dagrun trigger'.")

  @OptionGroup var options: TriggerOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> ExitStatus {
    try await options.trigger(Workspace(session, global))
  }
}

struct TriggerOptions: ParsableArguments {
  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Option(name: .shortAndLong, help: ArgumentHelp("Values for the DAG's parameters: a JSON object.", valueName: "json"))
  var conf: String?
  @Option(name: .shortAndLong, help: "The run's id; makes the command safe to repeat.") var runId: String?
  @Option(
    name: .shortAndLong, help: ArgumentHelp("The date the run is for.", valueName: "date"), transform: DateText.parse)
  var logicalDate: Timestamp?
  @Flag(help: "Do not wait for the run's end.") var noWait = false
  @OptionGroup var format: FormatOption

  func validate() throws {
    if let runId, runId.isEmpty { throw ValidationError("--run-id is empty") }
  }

  func trigger(_ workspace: Workspace) async throws -> ExitStatus {
    let conf = try ConfText.check(conf)
    let request = ControlRequest.trigger(dagID: dag, runID: runId, logicalDate: logicalDate, conf: conf)
    if noWait { return try await handOver(request, workspace) }

    try workspace.refusePaused(
      dag, hint: "'dagrun dags unpause \(dag)' lets it run; --no-wait stores the run until then")
    return try await workspace.withScheduler { control in
      let (run, created) = try await workspace.run(request, by: control)
      if run.state.isFinished && !created {
        workspace.session.errors.line("run \(run.runID) of \(dag) has already ended")
        return try report(run, workspace)
      }
      let follower = RunFollower(control: control, session: workspace.session)
      let progress = try await follower.follow(run.number, dagID: dag, runID: run.runID)
      if format.output == .table {
        workspace.session.output.line(ProgressView.summary(progress, style: workspace.session.output.style))
        return progress.run.state == .success ? .success : .runFailed
      }
      return try report(progress.run, workspace)
    }
  }

  private func handOver(_ request: ControlRequest, _ workspace: Workspace) async throws -> ExitStatus {
    let (run, _) = try await workspace.run(request, by: nil)
    if format.output == .table {
      workspace.session.output.line("run \(run.runID) of \(dag) is \(run.state.rawValue)")
    } else {
      try run.record.print(format.output, to: workspace.session)
    }
    try await workspace.mentionWhatRunsThem("the run")
    return .success
  }

  private func report(_ run: RunSummary, _ workspace: Workspace) throws -> ExitStatus {
    try run.record.print(format.output, to: workspace.session)
    return run.state == .failed ? .runFailed : .success
  }
}
