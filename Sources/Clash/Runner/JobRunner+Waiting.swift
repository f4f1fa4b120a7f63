internal import Dagrun
internal import Foundation
internal import GoogleCloud
internal import Logging

/// What a job waits for: messages, and moments.
extension JobRunner {
  /// Keeps one pull open while the job listens.
  func listen(_ job: ActiveJob) {
    guard let current = job.current, current.isListening, !job.hasLeft else {
      job.stopPull()
      return
    }
    guard job.pull == nil else { return }
    let cloud = cloud(for: current.request)
    let name = job.name
    let maxMessages = options.maxMessages
    let delay = job.failuresOfPull == 0 ? 0 : retrySeconds(afterFailures: job.failuresOfPull)
    job.startPull { [self] number in
      // Cancelled: the call below ends at once, and nobody hears of it.
      if delay > 0 { try? await Task.sleep(for: .seconds(delay)) }
      let answer = await cloud.pull(ofJob: name, maxMessages: maxMessages)
      queue.async { [self] in pulled(answer, number, job) }
    }
  }

  private func pulled(_ answer: Result<[JobMessage], CloudError>, _ number: Int, _ job: ActiveJob) {
    guard !job.hasLeft, job.pullNumber == number else { return }
    job.pull = nil
    switch answer {
    case .success(let messages):
      job.failuresOfPull = 0
      post(.event(.received(messages)), to: job)
    case .failure(let error):
      job.failuresOfPull += 1
      if error.isTransient || error.reason == .cancelled {
        logger.debug("a pull failed", metadata: ["job": "\(job.name)", "error": "\(error)"])
        post(.event(.pullLost), to: job)
      } else {
        post(.event(.listeningFailed(error)), to: job)
      }
    }
  }

  /// Sees to it that `nextWake` is met. A moment that has moved away is not disarmed: it is looked at when it comes, so
  /// that a heartbeat each minute costs no timer each minute.
  func arm(_ job: ActiveJob) {
    guard let wake = job.current?.nextWake, !job.hasLeft else { return }
    if let armed = job.armedWake, armed <= wake { return }
    job.armedWake = wake
    // Were a job to want what it was just told, it would be told so no more than some times a second.
    let seconds = max(wake.seconds(since: Timestamp(Date())), wake == job.metWake ? 0.25 : 0)
    queue.asyncAfter(wallDeadline: .now() + seconds) { [self] in
      guard !job.hasLeft, job.armedWake == wake else { return }
      job.armedWake = nil
      guard let next = job.current?.nextWake, next <= Timestamp(Date()) else { return arm(job) }
      job.metWake = next
      // While it is held, its release brings it here again.
      if job.inbox.isEmpty { post(.event(.wake), to: job) }
    }
  }
}
