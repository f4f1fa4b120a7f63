internal import Clash
internal import Dispatch
internal import Model

extension JobServer {
  func attach(_ name: String, project: String?) {
    // To ask twice is to ask once.
    guard !isLeaving, jobs[name] == nil, waits[name] == nil else { return }
    perform(for: name) {
      guard let found = try look(for: name, project: project) else { return }
      do throws(JobLock.Refusal) {
        drive(found, try repository.lock(name))
      } catch {
        guard error.reason == .held else { throw JobControlError.lockUnavailable(error.description) }
        // Whoever handed it over may be about to leave.
        wait(for: name, project: project)
      }
    }
  }

  private func perform(for name: String, _ body: () throws -> Void) {
    do { try body() } catch { say(.failed(job: name, error)) }
    endIfDone()
  }

  private enum Found {
    case stored(JobRecord)
    case elsewhere(String, project: String)
  }

  /// - Returns: nil when it has ended, which is said.
  private func look(for name: String, project: String?) throws -> Found? {
    if let problem = JobName.problem(name) { throw JobControlError.invalidName(problem: problem) }
    guard let stored = try repository.find(name) else {
      guard let project else { throw JobControlError.unknown(job: name) }
      return .elsewhere(name, project: project)
    }
    if stored.isFinished {
      if let outcome = try Job(restoring: stored).outcome { sayEnd(of: stored, outcome) }
      return nil
    }
    guard stored.task == nil else { throw JobControlError.belongsToTask(job: name) }
    return .stored(stored)
  }

  private func drive(_ found: Found, _ lock: JobLock) {
    let name =
      switch found {
      case .stored(let job): job.name
      case .elsewhere(let name, _): name
      }
    jobs[name] = ServedJob(lock: lock)
    repository.removeStaleCancelRequest(name)
    let observer: JobRunner.Observer = { [weak self] update in
      guard let self else { return }
      queue.async { self.received(update, of: name) }
    }
    switch found {
    case .stored(let job): runner.adopt(name, logPath: repository.logPath(of: job), observer: observer)
    case .elsewhere(_, let project):
      runner.attach(name, project: project, logPath: repository.logPath(ofJob: name), observer: observer)
    }
    // One that nobody has met who drove the job before.
    if repository.isCancelRequested(name) { cancel(name) }
  }

  // MARK: Waiting for another process

  private func wait(for name: String, project: String?) {
    let ticket = JobLockQueue.shared.wait(forJob: name, folder: repository.folder) { [weak self] result in
      guard let self else { return }
      queue.async { self.decided(name, result) }
    }
    waits[name] = LockWait(ticket: ticket, project: project)
    queue.asyncAfter(deadline: .now() + lockLimitSeconds) { [weak self] in self?.limitReached(name, ticket) }
  }

  private func decided(_ name: String, _ result: Result<JobLock, JobLock.Refusal>) {
    // What was left meanwhile is not taken any more.
    guard let wait = waits.removeValue(forKey: name) else { return }
    perform(for: name) {
      switch result {
      case .success(let lock):
        // It may have come to its end before it was left.
        guard let found = try look(for: name, project: wait.project) else { return }
        drive(found, lock)
        if wait.isCancelled { cancel(name) }
      case .failure(let refusal): throw JobControlError.lockUnavailable(refusal.description)
      }
    }
  }

  private func limitReached(_ name: String, _ ticket: JobLockQueue.Ticket) {
    guard waits[name]?.ticket == ticket else { return }
    waits[name] = nil
    JobLockQueue.shared.withdraw(ticket)
    perform(for: name) {
      throw JobControlError.drivenElsewhere(job: name, process: repository.driver(of: name), waitedSeconds: nil)
    }
  }
}
