import ArgumentParser
import Clash
import Dagrun
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

  func execute(in session: Session) async throws -> ExitStatus {
    let session = logOptions.session(session)
    let workplace = try JobHome(session, global)
    let end = try await end(workplace)
    end.tell(in: session)
    try end.print(format.output, to: session)
    return end.exitStatus
  }

  private func end(_ workplace: JobHome) async throws -> JobEnd {
    guard let known = try workplace.find(name) else {
      if let problem = JobName.problem(name) { throw Complaint(.wrongUsage, problem) }
      let project = try await workplace.project(project)
      return try await driver(workplace).run(name, .attach(project: project, likely: nil), project: project)
    }
    if known.task != nil, !known.isFinished {
      throw Complaint(
        .wrongUsage, "job \(name) belongs to a task; the scheduler drives it",
        hint: "follow it with: dagrun job logs -f \(name)")
    }
    return try await driver(workplace).run(name, .adopt(known), project: known.project)
  }

  private func driver(_ workplace: JobHome) throws -> JobDriver {
    try JobDriver(workplace, format: format.output, prices: prices)
  }
}
