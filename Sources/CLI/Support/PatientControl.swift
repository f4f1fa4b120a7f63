import Control
import Dispatch
import Foundation
import Model
import Synchronization

/// When a command that waits says what for.
enum Quiet {
  /// So long has nothing happened.
  static let seconds = 5.0
}

/// Reaches a scheduler, and says so when an answer is long in coming: that of another process is named, so that one
/// that hangs can be ended.
struct PatientControl: Control {
  private let base: any Control
  private let home: Home
  private let errors: Output
  private let memory = Memory()

  /// What was said.
  private final class Memory: Sendable {
    let isSaid = Mutex(false)
  }

  init(_ base: any Control, home: Home, errors: Output) {
    self.base = base
    self.home = home
    self.errors = errors
  }

  /// The scheduler is another process.
  var isElsewhere: Bool { base is SocketControl }

  func send(_ request: ControlRequest) async throws -> ControlReply {
    let notice = Task {
      try await Task.sleep(for: .seconds(Quiet.seconds))
      await sayWhatIsWaitedFor()
    }
    defer { notice.cancel() }
    return try await base.send(request)
  }

  func follow(run: Int64) -> AsyncThrowingStream<RunProgress, any Error> { base.follow(run: run) }

  private func sayWhatIsWaitedFor() async {
    guard isElsewhere else {
      return say("waiting until the DAG files are read")
    }
    let answers = Answer()
    // Not waited for to its end: a connection to a process that hangs has none.
    let base = base
    Task { if (try? await base.send(.ping)) != nil { answers.isThere.withLock { $0 = true } } }
    for _ in 0..<20 where !answers.isThere.withLock({ $0 }) {
      guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { return }
    }
    if answers.isThere.withLock({ $0 }) { return say("waiting until the scheduler has read the DAG files") }
    say(Self.words(ofSilent: home))
  }

  private final class Answer: Sendable {
    let isThere = Mutex(false)
  }

  static func words(ofSilent home: Home) -> String {
    let holder = SchedulerLock.holder(of: home).map { "process \($0.pid)" } ?? "another process"
    let kill = SchedulerLock.holder(of: home).map { "kill -CONT \($0.pid)' or 'kill -KILL \($0.pid)" } ?? "kill"
    return "the scheduler (\(holder)) does not answer; waiting for it. If it hangs: '\(kill)'"
  }

  private func say(_ words: String) {
    let isNew = memory.isSaid.withLock { isSaid in
      defer { isSaid = true }
      return !isSaid
    }
    if isNew { errors.line(words) }
  }
}

extension Control {
  /// The scheduler is another process, which may leave.
  var isElsewhere: Bool { (self as? PatientControl)?.isElsewhere ?? (self is SocketControl) }
}
