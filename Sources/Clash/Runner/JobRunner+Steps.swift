internal import Basics
internal import Dagrun
internal import Foundation
internal import Logging
internal import Model

/// One turn of the loop: what jobs were told, what they make of it, saved together, then done.
extension JobRunner {
  /// What a job becomes by its inbox. Nothing of it has happened yet, but for the log's bytes.
  private struct Step {
    let job: ActiveJob
    let next: Job
    let actions: [JobAction]
    let log: JobLog?
    /// How much of the inbox it is.
    let inputs: Int
  }

  func post(_ input: ActiveJob.Input, to job: ActiveJob) {
    dispatchPrecondition(condition: .onQueue(queue))
    guard !job.hasLeft else { return }
    job.inbox.append(input)
    if job.inbox.count == 1 { makeReady(job) }
  }

  private func makeReady(_ job: ActiveJob) {
    guard !job.isHeld else { return }
    ready.append(job)
    guard !isDrainScheduled else { return }
    isDrainScheduled = true
    // Behind the events that are on the queue already: they share its transaction.
    queue.async { [self] in drain() }
  }

  private func drain() {
    isDrainScheduled = false
    let batch = ready
    ready = []
    let now = Timestamp(Date())
    let steps = batch.compactMap { step(of: $0, at: now) }
    for step in save(steps) { perform(step) }
    memory.noteSteps(steps.count) { [weak self] in self?.memory.end() }
  }

  private func step(of job: ActiveJob, at now: Timestamp) -> Step? {
    guard !job.hasLeft, !job.isHeld, job.current != nil || load(job, at: now), var next = job.current else {
      return nil
    }
    let inbox = job.inbox
    var actions: [JobAction] = []
    for input in inbox {
      switch input {
      case .resume(let isOverElsewhere): actions += next.resume(at: now, isOverElsewhere: isOverElsewhere)
      case .event(let event): actions += next.handle(event, at: now)
      }
    }
    var log = job.log
    do {
      for action in actions {
        switch action {
        case .writeLog(let bytes, _): try log?.append(bytes)
        case .tell(.note(let text)): try log?.note(text)
        case .tell(.began), .tell(.log), .tell(.ended), .call, .inspect, .acknowledge: break
        }
      }
    } catch {
      hold(job, because: error)
      return nil
    }
    return Step(job: job, next: next, actions: actions, log: log, inputs: inbox.count)
  }

  // MARK: Saving

  /// - Returns: those that are saved; the others are held.
  private func save(_ steps: [Step]) -> [Step] {
    let changed = steps.filter(needsSaving)
    guard !changed.isEmpty else { return steps }
    do {
      try journal.save(changed.map(record))
      return steps
    } catch  where changed.count == 1 {
      saveFailed(changed[0], error)
      return steps.filter { $0.job !== changed[0].job }
    } catch {
      // One that cannot be saved must not hold up the others.
      return steps.filter { step in save([step]).count == 1 }
    }
  }

  private func needsSaving(_ step: Step) -> Bool {
    guard step.job.isSaved, let current = step.job.current, current == step.next else { return true }
    return step.log?.length != step.job.log?.length
  }

  private func saveFailed(_ step: Step, _ error: any Error) {
    // Another process may have ended it: then there is nothing left to do.
    if step.job.isSaved, let known = try? journal.job(named: step.job.name), known.isFinished,
      let ended = try? Job(restoring: known), let outcome = ended.outcome
    {
      return end(step.job, outcome, of: ended)
    }
    hold(step.job, because: error)
  }

  private func record(_ step: Step) throws -> JobRecord {
    let job = step.next
    var record = try job.record()
    record.setLogFileLength(step.log?.length ?? 0)
    guard let prices = options.prices else { return record }
    let now = Timestamp(Date())
    for index in record.attempts.indices where record.attempts[index].endedAt != nil {
      record.attempts[index].cost =
        prices.estimate(record.attempts[index], of: job.request.spec.config, now: now).amount
    }
    return record
  }

  /// The job stays as it is in the journal; what it was told waits, and is tried again.
  func hold(_ job: ActiveJob, because error: any Error) {
    job.isHeld = true
    job.log?.takeBack()
    job.failuresOfJournal += 1
    let delay = retrySeconds(afterFailures: job.failuresOfJournal)
    logger.warning(
      "a job waits because it cannot be kept",
      metadata: ["job": "\(job.name)", "error": "\(error)", "seconds": "\(delay)"])
    if job.failuresOfJournal == 1 { job.observer(.note("cannot keep the job, and tries again: \(error)")) }
    queue.asyncAfter(deadline: .now() + delay) { [self] in release(job) }
  }

  func release(_ job: ActiveJob) {
    guard !job.hasLeft else { return }
    job.isHeld = false
    if !job.inbox.isEmpty { makeReady(job) }
  }

  func retrySeconds(afterFailures failures: Int) -> Double {
    Backoff(firstSeconds: options.firstRetrySeconds, longestSeconds: options.longestRetrySeconds)
      .seconds(doublings: failures - 1)
  }

  // MARK: Performing

  private func perform(_ step: Step) {
    let job = step.job
    job.current = step.next
    job.log = step.log
    job.isSaved = true
    job.failuresOfJournal = 0
    job.inbox.removeFirst(step.inputs)
    for action in step.actions {
      switch action {
      case .call(let call):
        let request = step.next.request
        let cloud = cloud(for: request)
        ask(job) { await cloud.events(of: call, of: request) }
      case .inspect(let plan, let console):
        let name = job.name
        let cloud = cloud(for: step.next.request)
        job.inspections += 1
        let includesErrors = job.inspections.isMultiple(of: Self.inspectionsForErrors)
        ask(job) { await cloud.inspect(plan, ofJob: name, console: console, includesErrors: includesErrors) }
      case .acknowledge(let ids):
        let name = job.name
        let cloud = cloud(for: step.next.request)
        job.spawn(on: queue) { await cloud.acknowledge(ids, ofJob: name) }
      case .writeLog(let bytes, _): job.observer(.log(bytes))
      case .tell(.ended(let outcome)): return end(job, outcome, of: step.next)
      case .tell(let update): job.observer(update)
      }
    }
    if !job.inbox.isEmpty { makeReady(job) }
    listen(job)
    arm(job)
    job.tellHandOver(step.next)
  }

  /// What `answer` returns is the job's next input.
  private func ask(_ job: ActiveJob, _ answer: @escaping @Sendable () async -> [JobEvent]) {
    job.spawn(on: queue) { [self] in
      let events = await answer()
      queue.async { [self] in for event in events { post(.event(event), to: job) } }
    }
  }

  func end(_ job: ActiveJob, _ outcome: JobOutcome, of state: Job?) {
    var outcome = outcome
    if let state, outcome.result != nil, let (cost, precision) = cost(of: state) {
      outcome.result?.cost = cost
      outcome.result?.costBound = precision == .exact ? nil : precision.rawValue
    }
    let observer = job.observer
    detach(job)
    observer(.ended(outcome))
  }

  /// Of all attempts; nil when that of one is unknown.
  private func cost(of job: Job) -> (Double, MachineTime.Precision)? {
    guard let prices = options.prices else { return nil }
    let now = Timestamp(Date())
    var sum = 0.0
    var precision = MachineTime.Precision.exact
    for attempt in job.attempts {
      let estimate = prices.estimate(attempt, of: job.request.spec.config, now: now)
      guard let amount = estimate.amount else { return nil }
      sum += amount
      precision = precision.joined(with: estimate.precision)
    }
    return (sum, precision)
  }

  func cloud(for request: JobRequest) -> JobCloud { cloud(ofProject: request.spec.config.project) }

  func cloud(ofProject project: String) -> JobCloud {
    JobCloud(
      project: project, transport: transport, endpoints: endpoints, images: images, templates: templates,
      acknowledgeLimitSeconds: options.acknowledgeLimitSeconds, firstWordSeconds: options.firstWordSeconds)
  }

  /// Of a VM that is coming, each so many looks go deeper: a group may forget a fault while it tries again.
  private static let inspectionsForErrors = 4
}
