import Control
import Dagrun
import Foundation
import Model

/// Says what a command waits for when nothing has happened for some seconds: each reason once.
///
/// Not thread-safe: one task owns it.
struct WaitingNotice {
  private var lastMovement = Date()
  private var isAsking = false
  private var said: Set<Said> = []
  /// A terminal shows them anyway.
  private let showsActive: Bool

  private struct Said: Hashable {
    var runID: String
    var taskID: String?
    var kind: String
  }

  init(showsActive: Bool) { self.showsActive = showsActive }

  /// Something has happened.
  mutating func moved() { lastMovement = Date() }

  /// - Returns: whether to ask what is waited for, now.
  mutating func isDue(_ now: Date = Date()) -> Bool {
    guard !isAsking, now.timeIntervalSince(lastMovement) >= Quiet.seconds else { return false }
    isAsking = true
    return true
  }

  /// The lines to say of an answer; nil stands for no answer.
  mutating func lines(_ waiting: WaitingRuns?, now: Date = Date()) -> [String] {
    isAsking = false
    lastMovement = now
    var lines: [String] = []
    var left = 0
    for task in waiting?.tasks ?? [] where !task.words.isEmpty && (showsActive || !task.isActive) {
      guard said.insert(Said(runID: task.runID, taskID: task.taskID, kind: task.kind)).inserted else { continue }
      if lines.count < Self.mostLines { lines.append(task.line) } else { left += 1 }
    }
    if left > 0 { lines.append("and \(left) more; 'dagrun explain' says what each waits for") }
    return lines
  }

  private static let mostLines = 5
}

extension WaitingRuns.WaitingTask {
  /// `load waits: pool gpu has no room: 2 of 2 slots are in use, 1 needed`
  var line: String {
    guard let taskID else { return "run \(runID) waits: \(words)" }
    return isActive ? "\(taskID) in \(runID): \(words)" : "\(taskID) in \(runID) waits: \(words)"
  }
}

extension WaitingRuns {
  /// Why the runs are ended that can never continue.
  func userError(about what: String, hint: String) -> UserError {
    let forever = tasks.filter(\.isForever)
    let first =
      forever.first.map { "\($0.taskID ?? "its run") in \($0.runID): \($0.words)" } ?? "nothing of it can start"
    let more = forever.count > 1 ? "; and others" : ""
    return UserError(.runFailed, "\(what) cannot continue, and was ended: \(first)\(more)", hint: hint)
  }
}

extension Control {
  /// What the runs wait for; nil when the scheduler does not say, as one of an older version.
  func waiting(ofRuns runs: [Int64]) async -> WaitingRuns? {
    guard case .waiting(let waiting) = try? await send(.waiting(runs: runs)) else { return nil }
    return waiting
  }
}
