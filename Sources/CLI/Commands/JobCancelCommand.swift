import ArgumentParser
import Clash
import Control
import Dagrun
import Executors
import Foundation
import JobControl
import Model

struct JobCancelCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Ends a job and removes all that it has in the cloud.",
    discussion: """
      Returns when everything is gone. Of a task's job the task fails, without another try. A job that no home here knows \
      is looked for in the project by its name.
      """)

  @Argument(help: "The job.") var name: String
  @Option(help: "The project of a job that was begun elsewhere. (default: as gcloud's)") var project: String?
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let context = try JobContext(session, global)
    guard let job = try context.find(name) else {
      let project = try await context.project(project)
      try context.home.make()
      return try await cancelHere(context, project: project, holding: context.lock(name))
    }
    if job.isFinished {
      session.errors.line("job \(name) has ended already: \(job.phase)")
      return .success
    }
    if let socket = SocketControl(context.home) {
      let control = PatientControl(socket, home: context.home, errors: session.errors)
      do {
        if case .done = try await control.send(.cancelJob(name: name)) { return try await waitForEnd(of: job, context) }
      } catch let refusal as ControlError where refusal.kind == .notFound && job.task == nil {
        // It drives the jobs of tasks, and those that nobody else drives.
      }
    }
    if job.task == nil, context.isDriven(name) {
      try JobCanceller(context.repository(), job: name).request(for: job)
      return try await waitForEnd(of: job, context)
    }
    return try await cancelHere(context, project: nil, holding: context.lock(name))
  }

  /// Until its driver has finished it; or here, where that has left before.
  private func waitForEnd(of job: JobRecord, _ context: JobContext) async throws -> CommandExit {
    let canceller = JobCanceller(try context.repository(), job: name)
    if job.task != nil {
      let ended = try await canceller.waitUntilFinished()
      guard let ended else { throw context.unknown(name) }
      return try report(try Job(restoring: ended).outcome, context.session)
    }
    switch try await canceller.waitUntilLeft() {
    case .finished(let job): return try report(try Job(restoring: job).outcome, context.session)
    case .left(nil, _): throw context.unknown(name)
    case .left(_?, let lock): return try await cancelHere(context, project: nil, holding: lock)
    }
  }

  /// - Parameter project: of a job that no home here knows.
  private func cancelHere(_ context: JobContext, project: String?, holding lock: JobLock) async throws -> CommandExit {
    let canceller = JobCanceller(try context.repository(), job: name)
    let runner = try context.runner()
    let interruption = Interruption {
      context.session.errors.line("still removing what job \(name) has; once more leaves at once")
    } onSecond: {
      context.session.errors.line(
        "left. What job \(name) has may be there still, and cost money; remove it with: "
          + context.cancelCommand(name, project: self.project))
    }
    defer { interruption.end() }
    return try report(await canceller.cancel(runner, project: project, holding: lock), context.session)
  }

  private func report(_ outcome: JobOutcome?, _ session: Session) throws -> CommandExit {
    guard let outcome else { return .success }
    for resource in outcome.leftBehind { session.errors.line("left behind: \(resource)") }
    switch outcome.ending {
    case .cancelled: session.output.line("job \(name) is cancelled, and all that it had is removed")
    case .infrastructure(let failure) where failure.kind == .invalidRequest:
      throw UserError(.notFound, failure.message)
    case .exited, .infrastructure, .timedOut: session.output.line(outcome.sentence(ofJob: name))
    }
    return outcome.leftBehind.isEmpty ? .success : .unavailable
  }
}
