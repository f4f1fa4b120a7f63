import ArgumentParser
import Clash
import Dagrun
import JobControl
import Model
import Storage

struct JobRunCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs a container on a machine of Compute Engine that exists only for it.",
    discussion: """
      The job's log is printed as it comes, everything else goes to standard error. The command ends with the status of \
      the job's program; where the program did not end by itself, with a status from 240 to 248 (docs/exit-codes.md), and \
      '-o json' tells them apart.

      Ctrl-C, SIGTERM, a closed terminal and a reader of the log that leaves cancel the job and remove all that it has. \
      The same --name again continues with the same job.

      --attempt, --leash and --hand-over are for other schedulers, such as Airflow (docs/jobs.md).

      Example: dagrun job run --image python:3.13 --spot --zone europe-west1-b -- python -c 'print(1)'
      """)

  @Option(help: ArgumentHelp("The job's name: its identity.", valueName: "name")) var name: String?
  @Option(help: ArgumentHelp("The beginning of a name that is made up.", valueName: "text")) var namePrefix: String?
  @Option(
    help: ArgumentHelp(
      "The job is NAME-NUMBER; but one of NAME that still runs, or whose result was not taken, comes first.",
      valueName: "number"))
  var attempt: Int?
  @OptionGroup var lifeline: ParentLifelineOption
  @Flag(help: "Leave when the machine is asked for: somebody else continues with the job. Prints where.")
  var handOver = false
  @OptionGroup(title: "The job") var job: JobOptions
  @Flag(help: "Leave when the machine is asked for; 'job attach' waits for the result.") var detach = false
  @Option(
    help: ArgumentHelp(
      "What machines cost. (environment: DAGRUN_PRICES; default: prices.yaml in the home)", valueName: "file"),
    completion: .file())
  var prices: String?
  @OptionGroup var format: JobFormatOption
  @OptionGroup var logOptions: LogOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    if name != nil && namePrefix != nil { throw ValidationError("say --name or --name-prefix, not both") }
    guard let attempt else {
      if let name, let problem = JobName.problem(name) { throw ValidationError(problem) }
      return
    }
    guard let name else { throw ValidationError("--attempt is one of a --name: say --name too") }
    if detach {
      throw ValidationError("another process must continue an attempt: say --hand-over, not --detach")
    }
    if let problem = JobSeries(base: name, number: attempt).problem { throw ValidationError(problem) }
  }

  func execute(in session: Session) async throws -> CommandExit {
    let session = logOptions.session(session)
    let context = try JobContext(session, global)
    return try await run(spec(in: context), context)
  }

  private func spec(in context: JobContext) async throws -> JobSpec {
    try await job.jobSpec(in: context.session) { try await context.project(nil) }
  }

  private func run(_ spec: JobSpec, _ context: JobContext) async throws -> CommandExit {
    let lifeline = lifeline.take()
    let result = try await result(of: spec, context, lifeline)
    try say(result, in: context.session)
    try await result.noteReceived(lifeline, in: context)
    return result.exitStatus
  }

  private func say(_ result: JobRunResult, in session: Session) throws {
    result.tell(in: session)
    try result.print(format.output, to: session)
  }

  private func result(
    of spec: JobSpec, _ context: JobContext, _ lifeline: ParentLifeline?
  ) async throws -> JobRunResult {
    guard let name, let attempt else {
      let request = try request(spec, context, context.session)
      context.session.errors.line("job \(request.name)")
      return try await driver(context, lifeline).run(
        request.name, .request(request), project: spec.config.project, in: context)
    }
    let series = JobSeries(base: name, number: attempt)
    // Before a home is made for it.
    try JobOptions.check(JobRequest(name: series.name, spec: spec, origin: JobOrigin(homeID: "")))
    return try await JobSeriesRunner(driver: driver(context, lifeline), series: series, spec: spec).run(in: context)
  }

  private func driver(_ context: JobContext, _ lifeline: ParentLifeline?) throws -> JobDriver {
    try JobDriver(context, format: format.output, prices: prices, lifeline: lifeline, handsOver: handOver)
  }

  private func request(_ spec: JobSpec, _ context: JobContext, _ session: Session) throws -> JobRequest {
    var generator = SystemRandomNumberGenerator()
    let name = name ?? JobName.random(prefix: namePrefix ?? "job", using: &generator)
    // Before a home is made for it.
    try JobOptions.check(JobRequest(name: name, spec: spec, origin: JobOrigin(homeID: "")))
    let homeID = try context.store().homeID()
    if let known = try context.find(name) {
      guard !known.isFinished else {
        throw UserError(
          .wrongUsage, "there was a job \(name) already (\(known.phase))",
          hint: "take another name; 'dagrun job attach \(name)' tells how that one ended")
      }
      guard known.task == nil else {
        throw UserError(.wrongUsage, "job \(name) belongs to a task; the scheduler drives it")
      }
      session.errors.line("continuing with job \(name), which was begun before")
    }
    var request = JobRequest(name: name, spec: spec, origin: JobOrigin(homeID: homeID))
    request.isDetached = detach
    return request
  }
}
