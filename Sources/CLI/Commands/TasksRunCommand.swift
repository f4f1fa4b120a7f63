import ArgumentParser
import DagBag
import Dagrun
import Foundation

struct TasksRunCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs one task alone, without its upstreams, and shows its log. Leaves no trace.",
    discussion: """
      Outputs of other tasks that it needs come from the run of that date, or from the newest one that has them. The \
      result is not stored; retries, pools and trigger rules do not count.

      With --context another scheduler runs the task, such as Airflow. Its keys: run_id, logical_date, \
      data_interval_start, data_interval_end, run_after, try_number, conf, outputs (task -> output, null for a task \
      that has handed nothing on), previous_success_start, previous_success_end, job (name and attempt, for a job's \
      task). Nothing of the run is taken from the home then, but variables.
      """)

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The task.") var task: String
  @Argument(help: "The logical date; default: now.", transform: DateText.read) var date: DateArgument?
  @Option(name: .shortAndLong, help: ArgumentHelp("Values for the DAG's parameters: a JSON object.", valueName: "json"))
  var conf: String?
  @Option(
    help: ArgumentHelp(
      "The task's run, of which another scheduler knows: a JSON object; - for standard input.", valueName: "file"),
    completion: .file())
  var context: String?
  @OptionGroup var lifeline: ParentLifelineOption
  @Flag(help: "Of a job's task: leave when the machine is asked for, and somebody else continues with the job.")
  var handOver = false
  @Option(
    name: .shortAndLong,
    help: "'log' prints the task's log; 'json' or 'yaml' print how it ended, and the log on standard error.")
  var output: JobOutputFormat = .log
  @OptionGroup var logOptions: LogOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard context != nil else { return }
    if date != nil { throw ValidationError("--context has the date: leave the other one out") }
    if conf != nil { throw ValidationError("--context has the conf: leave out --conf") }
  }

  func execute(in session: Session) async throws -> CommandExit {
    let session = logOptions.session(session)
    let workspace = try Workspace(session, global)
    let given = try context.map { try ExternalRunContext.read(from: $0) }
    let (rehearsal, file) = try rehearsal(given, in: workspace)
    let run = StandaloneTask(
      rehearsal: rehearsal, file: file, workspace: workspace, format: output, lifeline: lifeline.take(),
      job: given?.job,
      handsOver: handOver)
    return try await run.run()
  }

  private func rehearsal(_ given: ExternalRunContext?, in workspace: Workspace) throws -> (TaskRehearsal, DAGFile) {
    let conf = try conf.map { try ConfText.check($0) }
    // Of the newest file: a scheduler that knows an older one learns here that a task is gone.
    let files = try given == nil ? workspace.dagFilesWithPools() : workspace.dagFilesForOthers()
    let description = try files.dag(dag)
    let task = try description.task(task)
    guard let file = files.file(of: dag) else { throw files.userError(aboutMissing: dag) }
    let now = Timestamp(Date())
    if let given {
      return (try TaskRehearsal(task, of: description, given: given, in: workspace, now: now), file)
    }
    let moment = try workspace.logicalDate(date ?? .now, of: description, now: now)
    return (try TaskRehearsal(task, of: description, at: moment, conf: conf, in: workspace), file)
  }
}
