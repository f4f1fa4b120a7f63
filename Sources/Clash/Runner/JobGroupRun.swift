package import Dagrun
internal import Foundation

/// Jobs that a runner drives as one: all begin at once, each has its end, and together they can be cancelled or run out
/// of time. `JobGroup` decides, this acts.
///
/// Nothing of a group is kept: its jobs are, by their names. After a restart the same jobs as a group again is the same
/// group.
package final class JobGroupRun: @unchecked Sendable {
  package typealias Observer = @Sendable (_ index: Int, JobNews) -> Void

  private let runner: JobRunner
  private let observer: Observer
  /// On the runner's queue, as all below.
  private var group: JobGroup
  private var waiters: [CheckedContinuation<JobGroup, Never>] = []

  /// - Parameters:
  ///   - members: with the paths of their logs. Names are distinct.
  ///   - timeoutSeconds: from `start`; whoever is not done then is cancelled.
  ///   - start: of a group that goes on after a restart, its first one.
  ///   - observer: as of `JobRunner.start`, with the member's place in the list.
  package init(
    _ members: [(request: JobRequest, logPath: String?)], on runner: JobRunner, timeoutSeconds: Double? = nil,
    since start: Timestamp, observer: @escaping Observer
  ) {
    self.runner = runner
    self.observer = observer
    group = JobGroup(names: members.map(\.request.name), timeoutSeconds: timeoutSeconds, at: start)
    for (index, member) in members.enumerated() {
      runner.start(member.request, logPath: member.logPath) { [self] news in heard(news, of: index) }
    }
    runner.queue.async { [self] in
      finishIfDone()
      arm()
    }
  }

  /// Those that have ended stay as they are.
  package func cancel() {
    runner.queue.async { [self] in cancel(group.cancelAll()) }
  }

  package func cancel(_ index: Int) {
    runner.queue.async { [self] in cancel(group.cancel(index)) }
  }

  /// Waits until each member has ended.
  package func finished() async -> JobGroup {
    await withCheckedContinuation { continuation in
      runner.queue.async { [self] in
        waiters.append(continuation)
        finishIfDone()
      }
    }
  }

  private func heard(_ news: JobNews, of index: Int) {
    if case .ended(let outcome) = news { group.ended(index, outcome) }
    observer(index, news)
    finishIfDone()
  }

  private func finishIfDone() {
    guard group.isFinished else { return }
    for waiter in waiters { waiter.resume(returning: group) }
    waiters = []
  }

  private func cancel(_ indices: [Int]) {
    for index in indices { runner.cancel(group.names[index]) }
  }

  private func arm() {
    guard let wake = group.nextWake else { return }
    let seconds = max(0, wake.seconds(since: Timestamp(Date())))
    runner.queue.asyncAfter(wallDeadline: .now() + seconds) { [self] in
      cancel(group.wake(at: Timestamp(Date())))
      arm()
    }
  }
}
