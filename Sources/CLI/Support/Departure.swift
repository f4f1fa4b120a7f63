import Control
import Dispatch
import Foundation
import Model
import Storage
import Synchronization

/// How a command leaves that may have begun jobs: not before all is removed that cancelled jobs had in the cloud. A
/// second signal leaves at once, and says what stays and how to remove it.
final class Departure: Sendable {
  /// Where the command stands.
  enum Stage: Sendable {
    /// Its request is not answered, or it follows what came of it; whoever follows says what a signal does.
    case atWork
    /// All that is left to do is to wait until jobs are removed.
    case removing
  }

  private let workspace: Workspace
  private let stage = Mutex(Stage.atWork)
  private let interruption = Mutex<Interruption?>(nil)

  init(_ workspace: Workspace) {
    self.workspace = workspace
    interruption.withLock {
      $0 = Interruption { [self] in
        switch stage.withLock({ $0 }) {
        case .removing: sayWhatIsRemoved()
        case .atWork:
          // Nobody follows yet what was asked for.
          guard Interruption.isAlone else { return }
          workspace.session.errors.line("interrupted; waiting for the scheduler's answer. Once more leaves at once")
        }
      } onSecond: {
        Self.sayWhatStays(in: workspace, isLeftAtOnce: true)
      }
    }
  }

  func end() { interruption.withLock { $0?.end() } }

  func beginRemoving() { stage.withLock { $0 = .removing } }

  func sayWhatIsRemoved() {
    let names = Self.unfinishedJobs(in: workspace).map(\.name)
    guard !names.isEmpty else { return }
    workspace.session.errors.line(
      "removing what \(Self.list(names)) in the cloud; Ctrl-C leaves at once, and leaves it there")
  }

  /// - Parameter isLeftAtOnce: the process ends with these words.
  static func sayWhatStays(in workspace: Workspace, isLeftAtOnce: Bool) {
    let jobs = unfinishedJobs(in: workspace)
    guard let last = jobs.last else { return }
    let errors = workspace.session.errors
    for job in jobs.dropLast().prefix(mostLines) {
      errors.line("job \(job.name) stays too; remove it with: \(workspace.command("job cancel \(job.name)"))")
    }
    if jobs.count - 1 > mostLines { errors.line("and more: \(workspace.command("job list")) lists them") }
    let name = last.name
    if isLeftAtOnce, let scheduler = SchedulerLock.holder(of: workspace.home), scheduler.isAlive,
      scheduler.pid != getpid()
    {
      errors.line("left. The scheduler (process \(scheduler.pid)) removes what job \(name) has")
    } else if isLeftAtOnce {
      errors.line(
        "left. What job \(name) has may be there still, and cost money; remove it with: "
          + workspace.command("job cancel \(name)"))
    } else {
      errors.line(
        "job \(name) is there still, and nobody drives it; continue with it: \(workspace.command("scheduler")); "
          + "or remove it: \(workspace.command("job cancel \(name)"))")
    }
  }

  /// Those that a scheduler drives. Read beside the engine: a second signal must not wait for a database that hangs.
  private static func unfinishedJobs(in workspace: Workspace) -> [JobRecord] {
    let found = FoundJobs()
    DispatchQueue.global().async {
      let jobs = (try? workspace.reader()?.listJobs(JobFilter(isFinished: false))) ?? []
      found.set(jobs.filter { $0.task != nil && !$0.isDetached })
    }
    return found.wait(seconds: readLimitSeconds)
  }

  private static func list(_ names: [String]) -> String {
    names.count == 1
      ? "job \(names[0]) has" : "\(names.count) jobs have (\(names.prefix(3).joined(separator: ", ")), …)"
  }

  private static let mostLines = 20
  private static let readLimitSeconds = 2.0
}

extension Workspace {
  /// Waits until the scheduler of another process has removed what the jobs of ended runs had in the cloud. The one in
  /// this process does not leave before.
  ///
  /// - Throws: `SchedulerWentAway` when it has left before that.
  func waitUntilJobsAreRemoved(ofRuns runs: [Int64], _ control: any Control) async throws {
    guard control.isElsewhere else { return }
    let runs = Set(runs)
    var looks = 0
    while true {
      let jobs = try reader()?.listJobs(JobFilter(isFinished: false)) ?? []
      guard let first = jobs.first(where: { $0.task.map { runs.contains($0.key.run) } ?? false }) else { return }
      guard SocketControl(home) != nil else { throw SchedulerWentAway(runID: first.task?.runID ?? "") }
      if looks == Int(Quiet.seconds / Self.lookSeconds) {
        session.errors.line("the scheduler removes what job \(first.name) has; Ctrl-C again leaves at once")
      }
      looks += 1
      try await Task.sleep(for: .seconds(Self.lookSeconds))
    }
  }

  private static let lookSeconds = 0.2
}

/// Kept by who reads and by who waits: the reading may end after the waiting.
private final class FoundJobs: Sendable {
  private let jobs = Mutex<[JobRecord]>([])
  private let isRead = DispatchSemaphore(value: 0)

  func set(_ found: [JobRecord]) {
    jobs.withLock { $0 = found }
    isRead.signal()
  }

  func wait(seconds: Double) -> [JobRecord] {
    _ = isRead.wait(timeout: .now() + seconds)
    return jobs.withLock { $0 }
  }
}
