import ArgumentParser
import Clash
import Dagrun
import Engine
import Foundation
import Model
internal import Executors

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

  func execute(in session: Session) async throws -> ExitStatus {
    let workplace = try JobHome(session, global)
    guard let job = try workplace.find(name) else {
      let project = try await workplace.project(project)
      return try await cancelHere(workplace) { runner, observer in
        runner.attach(name, project: project, logPath: nil, observer: observer)
      }
    }
    if job.isFinished {
      session.errors.line("job \(name) has ended already: \(job.phase)")
      return .success
    }
    if let socket = SocketControl(workplace.home) {
      let control = PatientControl(socket, home: workplace.home, errors: session.errors)
      do {
        if case .done = try await control.send(.cancelJob(name: name)) { return try await waitForEnd(workplace) }
      } catch let refusal as ControlRefusal where refusal.kind == .notFound && job.task == nil {
        // It drives the jobs of tasks, and those that nobody else drives.
      }
    }
    if job.task == nil, workplace.isDriven(name) {
      try CancelWish.leave(workplace.home, name)
      return try await waitForEnd(workplace)
    }
    return try await cancelHere(workplace) { $0.adopt(name, logPath: nil, observer: $1) }
  }

  private func cancelHere(
    _ workplace: JobHome, _ begin: (JobRunner, @escaping JobRunner.Observer) -> Void
  ) async throws -> ExitStatus {
    try workplace.home.make()
    let lock = try workplace.lock(name)
    defer { withExtendedLifetime(lock) {} }
    let runner = try workplace.home.jobRunner(try workplace.access(), logger: workplace.logger)
    let (news, continuation) = AsyncStream.makeStream(of: JobNews.self)
    begin(runner) { continuation.yield($0) }
    runner.cancel(name)
    let interruption = Interruption {
      workplace.session.errors.line("still removing what job \(name) has; once more leaves at once")
    } onSecond: {
      workplace.session.errors.line(
        "left. What job \(name) has may be there still, and cost money; remove it with: "
          + workplace.cancelCommand(name, project: project))
    }
    defer { interruption.end() }
    var outcome: JobOutcome?
    for await item in news {
      guard case .ended(let end) = item else { continue }
      outcome = end
      break
    }
    runner.stop()
    return try report(outcome, workplace.session)
  }

  private func waitForEnd(_ workplace: JobHome) async throws -> ExitStatus {
    while true {
      let job = try workplace.record(name)
      if job.isFinished { return try report(try Job(restoring: job).outcome, workplace.session) }
      // Whoever drove it may have ended before it saw the wish.
      if job.task == nil, !workplace.isDriven(name) { return try await execute(in: workplace.session) }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  private func report(_ outcome: JobOutcome?, _ session: Session) throws -> ExitStatus {
    guard let outcome else { return .success }
    for resource in outcome.leftBehind { session.errors.line("left behind: \(resource)") }
    switch outcome.ending {
    case .cancelled: session.output.line("job \(name) is cancelled, and all that it had is removed")
    case .infrastructure(let failure) where failure.kind == .invalidRequest:
      throw Complaint(.notFound, failure.message)
    case .exited, .infrastructure, .timedOut: session.output.line(outcome.sentence(ofJob: name))
    }
    return outcome.leftBehind.isEmpty ? .success : .unavailable
  }
}
