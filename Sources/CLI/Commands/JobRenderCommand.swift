import ArgumentParser
import Clash
import Dagrun
import Foundation
import GoogleCloud
import Model
import Presentation
import Storage

struct JobRenderCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "render", abstract: "Shows what would be sent to Google for a job. Nothing is sent.",
    discussion: "Takes the options of 'job run'. Without --part, all parts are printed under headings.")

  enum Part: String, CaseIterable, ExpressibleByArgument {
    /// The instance template and the instance group, as JSON.
    case template, group
    /// What the machine is given to run: cloud-init's user-data, and from it the runner and its systemd unit.
    case userData = "user-data"
    case runner, unit
    /// The job itself, as a spec.
    case spec
  }

  @Option(help: "template, group, user-data, runner, unit or spec.") var part: Part?
  @Option(help: ArgumentHelp("The job's name.", valueName: "name")) var name = "job-example"
  @OptionGroup(title: "The job") var job: JobOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    if let problem = JobName.problem(name) { throw ValidationError(problem) }
  }

  func execute(in session: Session) async throws -> CommandExit {
    let context = try JobContext(session, global)
    let spec = try await job.jobSpec(in: session) {
      // Nothing is asked of anybody for a rendering.
      guard let project = session.environment["GOOGLE_CLOUD_PROJECT"], !project.isEmpty else { return "my-project" }
      return project
    }
    let homeID = try context.reader()?.homeID() ?? "home"
    let request = JobRequest(name: name, spec: spec, origin: JobOrigin(homeID: homeID))
    try JobOptions.check(request)
    guard let candidate = Ladder(spec.config).candidates.first else {
      throw UserError(.wrongUsage, "the job has neither a place nor a machine type to try")
    }
    let scope: Scope
    switch candidate.place {
    case .zone(let name): scope = .zone(name)
    case .region(let name): scope = .region(name)
    }
    let rendering: JobRendering
    do {
      let image = spec.config.diskImage
      let machine = try JobMachine(
        request: request, attempt: 1,
        offer: MachineOffer(scope: scope, machineType: candidate.machineType, isSpot: candidate.isSpot),
        // The newest of a family is known only to Google.
        imageLink: image.name.map { "projects/\(image.project)/global/images/\($0)" }
          ?? "projects/\(image.project)/global/images/family/\(image.family ?? "")",
        endpoints: try Endpoints.fromEnvironment(session.environment))
      rendering = JobRendering(machine)
    } catch let error as JobMachineError {
      throw UserError(.wrongUsage, error.message, hint: error.hint)
    }
    for part in part.map({ [$0] }) ?? Part.allCases {
      if self.part == nil { session.output.line(session.output.style.bold("# \(part.rawValue)")) }
      let text = try text(of: part, rendering, spec)
      session.output.write(text.hasSuffix("\n") ? text : text + "\n")
    }
    return .success
  }

  private func text(of part: Part, _ rendering: JobRendering, _ spec: JobSpec) throws -> String {
    switch part {
    case .template: rendering.templateJSON
    case .group: rendering.groupJSON
    case .userData: rendering.userData
    case .runner: rendering.runner
    case .unit: rendering.unit
    case .spec: JSONText.pretty(try OutputValue(encoding: spec))
    }
  }
}
