internal import Control
internal import Dagrun
internal import Model
internal import Scheduling

/// Those who follow a run: each gets what has moved since its last report, at most every so often, and the end at once.
///
/// Confined to the engine's queue.
struct RunSubscribers {
  private static let intervalSeconds = 0.05
  private var all: [Int64: [Follower]] = [:]

  mutating func add(_ follower: Follower) {
    all[follower.run.number, default: []].append(follower)
  }

  mutating func remove(_ follower: Follower) {
    all[follower.run.number]?.removeAll { $0 === follower }
    if all[follower.run.number]?.isEmpty == true { all[follower.run.number] = nil }
  }

  /// Tells what was committed to those whom it concerns.
  mutating func tell(_ changes: [Change], by clock: any EngineClock) {
    guard !all.isEmpty else { return }
    let now = clock.now()
    var touched: [Int64] = []
    for change in changes {
      guard let number = change.run, let followers = all[number] else { continue }
      for follower in followers { follower.take(change, at: now) }
      if touched.last != number, !touched.contains(number) { touched.append(number) }
    }
    for number in touched {
      for follower in all[number] ?? [] {
        follower.reportWhenDue(atMostEvery: Self.intervalSeconds, by: clock)
        if follower.hasEnded { remove(follower) }
      }
    }
  }

  mutating func endAll(_ refusal: ControlError) {
    for follower in all.values.joined() { follower.send(.refused(refusal)) }
    all = [:]
  }
}

final class Follower: @unchecked Sendable {
  private(set) var run: DAGRun
  let send: (ControlReply) -> Void
  private var moved: [RunProgress.MovedTask] = []
  private var counts: [TaskState: Int] = [:]
  private var lastReport = Timestamp(microseconds: 0)
  private var isReportDue = false
  private(set) var hasEnded = false

  /// The first report names every task whose state has changed at all.
  ///
  /// - Parameter reasons: of those that have ended, by task id.
  init(_ snapshot: RunSnapshot, reasons: [String: String], send: @escaping (ControlReply) -> Void) {
    run = snapshot.run
    self.send = send
    count(snapshot.tasks)
    for task in snapshot.tasks where task.state != .none {
      moved.append(
        .init(
          taskID: task.taskID, state: task.state, tryNumber: task.tryNumber,
          at: task.endDate ?? task.startDate ?? run.queuedAt, reason: reasons[task.taskID]))
    }
    report()
  }

  private func count(_ tasks: [TaskInstance]) {
    counts = [:]
    for task in tasks { counts[task.state, default: 0] += 1 }
  }

  func take(_ change: Change, at now: Timestamp) {
    switch change {
    case .runChanged(let transition): run = transition.to
    case .runReplanned(let snapshot):
      run = snapshot.run
      count(snapshot.tasks)
    case .taskChanged(let transition):
      counts[transition.from, default: 0] -= 1
      counts[transition.to.state, default: 0] += 1
      moved.append(
        .init(
          taskID: transition.key.taskID, state: transition.to.state, tryNumber: transition.to.tryNumber, at: now,
          reason: transition.reason))
    case .runCreated, .outputStored, .outputRemoved, .choiceStored, .dagStored, .dagDeleted, .poolStored, .poolDeleted,
      .backfillCreated, .backfillContinued, .backfillCompleted:
      break
    }
  }

  func reportWhenDue(atMostEvery seconds: Double, by clock: any EngineClock) {
    let now = clock.now()
    if run.state.isFinished || now.seconds(since: lastReport) >= seconds {
      lastReport = now
      report()
    } else if !isReportDue {
      isReportDue = true
      clock.after(seconds) { [weak self] in
        guard let self, !hasEnded else { return }
        isReportDue = false
        report()
      }
    }
  }

  private func report() {
    hasEnded = run.state.isFinished
    var named: [String: Int] = [:]
    for (state, count) in counts where count > 0 { named[state.rawValue] = count }
    send(.progress(RunProgress(run: RunSummary(run), moved: moved, counts: named, isFinal: hasEnded)))
    moved = []
  }
}

extension Change {
  fileprivate var run: Int64? {
    switch self {
    case .runChanged(let transition): transition.run
    case .taskChanged(let transition): transition.key.run
    case .runReplanned(let snapshot): snapshot.run.number
    case .runCreated, .outputStored, .outputRemoved, .choiceStored, .dagStored, .dagDeleted, .poolStored, .poolDeleted,
      .backfillCreated, .backfillContinued, .backfillCompleted:
      nil
    }
  }
}
