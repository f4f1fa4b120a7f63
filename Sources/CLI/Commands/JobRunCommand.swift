import ArgumentParser
import Clash
import Dagrun
import Storage
import Model

struct JobRunCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs a container on a machine of Compute Engine that exists only for it.",
    discussion: """
      The job's log is printed as it comes, everything else goes to standard error. The command ends with the status of \
      the job's program; where the program did not end by itself, with a status from 240 to 248 (docs/exit-codes.md), and \
      '-o json' tells them apart.

      Ctrl-C, SIGTERM, a closed terminal and a reader of the log that leaves cancel the job and remove all that it has. \
      The same --name again goes on with the same job.

      --attempt, --leash and --hand-over are for other schedulers, such as Airflow (docs/jobs.md).

      Example: dagrun job run --image python:3.13 --spot --zone europe-west1-b -- python -c 'print(1)'
      """)

  @Option(help: ArgumentHelp("The job's name: its identity.", valueName: "name")) var name: String?
  @Option(help: ArgumentHelp("The beginning of a name that is made up.", valueName: "text")) var namePrefix: String?
  @Option(
    help: ArgumentHelp(
      "The job is NAME-NUMBER; but one of NAME that goes on, or whose result was not taken, comes first.",
      valueName: "number"))
  var attempt: Int?
  @OptionGroup var leash: JobLeashOption
  @Flag(help: "Leave when the machine is asked for: somebody else goes on with the job. Prints where.")
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
      throw ValidationError("an attempt is driven by whoever goes on with it: say --hand-over, not --detach")
    }
    if let problem = JobSeries(base: name, number: attempt).problem { throw ValidationError(problem) }
  }

  func execute(in session: Session) async throws -> ExitStatus {
    let session = logOptions.session(session)
    let workplace = try JobHome(session, global)
    return try await run(spec(in: workplace), workplace)
  }

  private func spec(in workplace: JobHome) async throws -> JobSpec {
    try await job.jobSpec(in: workplace.session) { try await workplace.project(nil) }
  }

  private func run(_ spec: JobSpec, _ workplace: JobHome) async throws -> ExitStatus {
    let leash = leash.take()
    let end = try await end(of: spec, workplace, leash)
    try say(end, in: workplace.session)
    if await end.isTaken(leash) { try end.noteTaken(in: workplace) }
    return end.exitStatus
  }

  private func say(_ end: JobEnd, in session: Session) throws {
    end.tell(in: session)
    try end.print(format.output, to: session)
  }

  private func end(of spec: JobSpec, _ workplace: JobHome, _ leash: Leash?) async throws -> JobEnd {
    guard let name, let attempt else {
      let request = try request(spec, workplace, workplace.session)
      workplace.session.errors.line("job \(request.name)")
      return try await driver(workplace, leash).run(request.name, .start(request), project: spec.config.project)
    }
    let series = JobSeries(base: name, number: attempt)
    // Before a home is made for it.
    try JobOptions.check(JobRequest(name: series.name, spec: spec, origin: JobOrigin(homeID: "")))
    return try await JobErrand(driver: driver(workplace, leash), series: series, spec: spec).run()
  }

  private func driver(_ workplace: JobHome, _ leash: Leash?) throws -> JobDriver {
    try JobDriver(workplace, format: format.output, prices: prices, leash: leash, handsOver: handOver)
  }

  private func request(_ spec: JobSpec, _ workplace: JobHome, _ session: Session) throws -> JobRequest {
    var generator = SystemRandomNumberGenerator()
    let name = name ?? JobName.random(prefix: namePrefix ?? "job", using: &generator)
    // Before a home is made for it.
    try JobOptions.check(JobRequest(name: name, spec: spec, origin: JobOrigin(homeID: "")))
    let homeID = try workplace.store().homeID()
    if let known = try workplace.find(name) {
      guard !known.isFinished else {
        throw Complaint(
          .wrongUsage, "there was a job \(name) already (\(known.phase))",
          hint: "take another name; 'dagrun job attach \(name)' tells how that one ended")
      }
      guard known.task == nil else {
        throw Complaint(.wrongUsage, "job \(name) belongs to a task; the scheduler drives it")
      }
      session.errors.line("going on with job \(name), which was begun before")
    }
    var request = JobRequest(name: name, spec: spec, origin: JobOrigin(homeID: homeID))
    request.isDetached = detach
    return request
  }
}
