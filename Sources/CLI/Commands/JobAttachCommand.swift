import ArgumentParser
import Clash
import Dagrun
import JobControl
import Model

struct JobAttachCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "attach", abstract: "Waits for a job that was begun before, here or elsewhere.",
    discussion: """
      Takes over a detached job, or one whose command was killed: its log is printed, it moves to other machines if it \
      has to, and at the end its result is taken and everything of it is removed. A job that no home here knows is looked \
      for in the project by its name.
      """)

  @Argument(help: "The job.") var name: String
  @Option(help: "The project of a job that was begun elsewhere. (default: as gcloud's)") var project: String?
  @Option(help: ArgumentHelp("What machines cost.", valueName: "file"), completion: .file()) var prices: String?
  @OptionGroup var format: JobFormatOption
  @OptionGroup var logOptions: LogOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let session = logOptions.session(session)
    let context = try JobContext(session, global)
    let result = try await result(context)
    result.tell(in: session)
    try result.print(format.output, to: session)
    return result.exitStatus
  }

  private func result(_ context: JobContext) async throws -> JobRunResult {
    guard let known = try context.find(name) else {
      if let problem = JobName.problem(name) { throw UserError(.wrongUsage, problem) }
      let project = try await context.project(project)
      return try await driver(context).run(
        name, .cloud(project: project, likely: nil), project: project, in: context)
    }
    if known.task != nil, !known.isFinished {
      throw UserError(
        .wrongUsage, "job \(name) belongs to a task; the scheduler drives it",
        hint: "follow it with: dagrun job logs -f \(name)")
    }
    return try await driver(context).run(name, .stored(known), project: known.project, in: context)
  }

  private func driver(_ context: JobContext) throws -> JobDriver {
    try JobDriver(context, format: format.output, prices: prices)
  }
}
