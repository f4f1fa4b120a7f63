internal import Dagrun
internal import Foundation
internal import GoogleCloud
internal import Model

/// How a job comes to a runner.
extension JobRunner {
  /// - Returns: whether it is there now. If not, it has ended, or is held until it can be.
  func load(_ job: ActiveJob, at now: Timestamp) -> Bool {
    let record: JobRecord?
    do {
      record = try journal.job(named: job.name)
    } catch {
      hold(job, because: error)
      return false
    }
    if let record { return restore(job, record) }
    switch job.beginning {
    case .start(var request):
      request.secret = request.secret ?? options.makeSecret()
      return take(job, Job(request, timings: options.timings, at: now), isSaved: false)
    case .adopt:
      fail(job, .invalidRequest, "no job \(job.name) is known here; `dagrun job list` shows those that are")
    case .attach(let project, let likely):
      find(job, project: project, likely)
    }
    return false
  }

  private func restore(_ job: ActiveJob, _ record: JobRecord) -> Bool {
    let known: Job
    do {
      known = try Job(restoring: record)
    } catch {
      fail(job, .cloud, "\(error)")
      return false
    }
    if let outcome = known.outcome {
      end(job, outcome, of: known)
      return false
    }
    guard take(job, known, logLength: record.logFileLength, isSaved: true) else { return false }
    guard known.mustLookForSubscription else { return true }
    lookForSubscription(job, known.request)
    return false
  }

  /// The job is held until the answer is here.
  private func lookForSubscription(_ job: ActiveJob, _ request: JobRequest) {
    job.isHeld = true
    let cloud = cloud(for: request)
    job.spawn(on: queue) { [self] in
      let isGone = await cloud.isSubscriptionGone(request)
      queue.async { [self] in
        guard !job.hasLeft else { return }
        resume(job, isOverElsewhere: isGone)
      }
    }
  }

  private func resume(_ job: ActiveJob, isOverElsewhere: Bool) {
    if case .resume = job.inbox.first { job.inbox[0] = .resume(isOverElsewhere: isOverElsewhere) }
    release(job)
  }

  private func take(_ job: ActiveJob, _ state: Job, logLength: Int = 0, isSaved: Bool) -> Bool {
    do {
      job.log = try JobLog(path: job.logPath, storedLength: logLength)
    } catch  where !isSaved {
      // Nothing of it is in the cloud yet.
      fail(job, .cloud, "\(error)")
      return false
    } catch {
      hold(job, because: error)
      return false
    }
    job.current = state
    job.isSaved = isSaved
    return true
  }

  private func fail(_ job: ActiveJob, _ kind: InfrastructureFailure.Kind, _ message: String) {
    end(job, JobOutcome(.infrastructure(InfrastructureFailure(kind, message))), of: nil)
  }

  /// The job is held until the answer is here.
  private func find(_ job: ActiveJob, project: String, _ likely: JobRequest?) {
    job.isHeld = true
    let cloud = cloud(ofProject: project)
    let name = job.name
    job.spawn(on: queue) { [self] in
      let result = await cloud.find(job: name, likely: likely)
      queue.async { [self] in found(job, result) }
    }
  }

  private func found(_ job: ActiveJob, _ result: JobCloud.Finding) {
    guard !job.hasLeft else { return }
    switch result {
    case .found(let request, let plan, let askedAt, let isOver):
      let state = Job(
        attachingTo: request, plan: plan, askedAt: askedAt, timings: options.timings, at: Timestamp(Date()))
      guard take(job, state, isSaved: false) else { return }
      resume(job, isOverElsewhere: isOver)
    case .nothing(let reason), .unreadable(let reason): fail(job, .invalidRequest, reason)
    case .failed(let error): fail(job, .cloud, "\(error)" + (error.hint.map { "; \($0)" } ?? ""))
    }
  }
}
