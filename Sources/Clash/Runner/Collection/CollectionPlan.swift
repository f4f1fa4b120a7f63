package import Dagrun
package import Model

/// Which jobs' resources may be collected.
package struct CollectionPolicy: Hashable, Sendable {
  /// Whose journal is asked.
  package var homeID: String
  /// Other homes' too, of which no journal can be asked: those at least `olderThanSeconds` old.
  package var includesOtherHomes = false
  package var olderThanSeconds = 7.0 * 86_400
  /// A detached job whose result nobody has taken is kept for so long: longer than Pub/Sub keeps the result.
  package var detachedLimitSeconds = 8.0 * 86_400

  package init(homeID: String) { self.homeID = homeID }
}

/// A job as the journal of the home has it.
package struct JournaledJob: Hashable, Sendable {
  package var name: String
  package var phase: String
  package var isFinished: Bool
  package var isDetached: Bool
  /// The scheduler of the home continues with it, now or when it is started again.
  package var isOfTask: Bool
  /// Another scheduler continues with it, or will take its result: on the next try of its task.
  package var isOfSeries: Bool
  /// Some process holds the job's lock.
  package var isDriven: Bool
  package var submittedAt: Timestamp

  package init(
    name: String, phase: String, isFinished: Bool, isDetached: Bool, isOfTask: Bool, isOfSeries: Bool = false,
    isDriven: Bool, submittedAt: Timestamp
  ) {
    self.name = name
    self.phase = phase
    self.isFinished = isFinished
    self.isDetached = isDetached
    self.isOfTask = isOfTask
    self.isOfSeries = isOfSeries
    self.isDriven = isDriven
    self.submittedAt = submittedAt
  }

  /// Of another version of dagrun. Unless that one drives it, nobody can continue with it: what it has may go.
  static func unreadable(_ name: String, isDriven: Bool) -> JournaledJob {
    JournaledJob(
      name: name, phase: "its kept state cannot be read", isFinished: !isDriven, isDetached: false, isOfTask: false,
      isDriven: isDriven, submittedAt: Timestamp(microseconds: 0))
  }

  /// - Throws: for a record that another version has written.
  package init(_ record: JobRecord, isDriven: Bool) throws(JobStateError) {
    self.init(
      name: record.name, phase: record.phase, isFinished: record.isFinished, isDetached: record.isDetached,
      isOfTask: record.task != nil, isOfSeries: try record.decodedRequest().series != nil, isDriven: isDriven,
      submittedAt: record.submittedAt)
  }
}

/// What is to be collected, and why. Decided from values alone; nothing has happened yet.
package struct CollectionPlan: Hashable, Sendable {
  /// In the order of removal.
  package var verdicts: [Verdict]
  /// Jobs of the journal that nobody drives and nobody will: to be cancelled, which removes what they have.
  package var abandonedJobs: [String]

  package struct Verdict: Hashable, Sendable {
    package var resource: JobResource
    package var fate: Fate
    /// In words.
    package var reason: String
  }

  package enum Fate: String, Hashable, Sendable {
    case keep, remove
    /// It goes with its job, which is cancelled.
    case cancel
  }

  /// - Parameter journal: of `policy.homeID`, read after the inventory was taken: what is begun in between is in it.
  package init(_ inventory: JobInventory, journal: [JournaledJob], policy: CollectionPolicy, now: Timestamp) {
    let jobs = Dictionary(journal.map { ($0.name, $0) }) { first, _ in first }
    let ages = Self.newest(of: inventory)
    verdicts = inventory.resources
      .sorted { ($0.kind.order, $0.job, $0.name) < ($1.kind.order, $1.job, $1.name) }
      .map { resource in
        let (fate, reason) =
          resource.homeID == policy.homeID
          ? Self.judge(jobs[resource.job], policy, now)
          : Self.judgeForeignJob(resource, jobs[resource.job], newest: ages[Owner(resource)], policy, now)
        return Verdict(resource: resource, fate: fate, reason: reason)
      }
    abandonedJobs = journal.filter { Self.judge($0, policy, now).0 == .cancel }.map(\.name).sorted()
  }

  private static func judge(
    _ job: JournaledJob?, _ policy: CollectionPolicy, _ now: Timestamp
  ) -> (Fate, String) {
    guard let job else { return (.remove, "no such job is in the journal") }
    if job.isFinished { return (.remove, "its job has ended (\(job.phase))") }
    if job.isDriven { return (.keep, "a process drives its job (\(job.phase))") }
    if job.isOfTask { return (.keep, "its job is a task's, and the scheduler continues with it (\(job.phase))") }
    // One that is being removed needs nothing but somebody who continues with that; if it has a result, that stays.
    if job.isOfSeries, job.phase != Job.removingPhase, now.seconds(since: job.submittedAt) < policy.detachedLimitSeconds
    {
      return (.keep, "its job is another scheduler's, whose next try continues with it (\(job.phase))")
    }
    if job.isDetached {
      return now.seconds(since: job.submittedAt) < policy.detachedLimitSeconds
        ? (.keep, "its job is detached, and its result has not been taken")
        : (.cancel, "its job is detached, and nobody has taken its result for \(words(policy.detachedLimitSeconds))")
    }
    return (.cancel, "the process that drove its job is gone (\(job.phase))")
  }

  private static func judgeForeignJob(
    _ resource: JobResource, _ job: JournaledJob?, newest: Timestamp?, _ policy: CollectionPolicy, _ now: Timestamp
  ) -> (Fate, String) {
    if let job, !job.isFinished { return (.keep, "this home has attached to its job (\(job.phase))") }
    let home = resource.homeID.map { "of the home \($0)" } ?? "of no home"
    guard policy.includesOtherHomes else { return (.keep, "it is \(home)") }
    // A topic of an older version has no date: it is as old as what else its job has.
    guard let created = newest else {
      return policy.olderThanSeconds <= 0
        ? (.remove, "it is \(home)")
        : (.keep, "it is \(home), and nothing tells how old it is; --older-than 0 removes it")
    }
    let age = now.seconds(since: created)
    return age >= policy.olderThanSeconds
      ? (.remove, "it is \(home), and \(words(age)) old") : (.keep, "it is \(home), and only \(words(age)) old")
  }

  private struct Owner: Hashable {
    var homeID: String?
    var job: String

    init(_ resource: JobResource) { (homeID, job) = (resource.homeID, resource.job) }
  }

  /// Of each job, the moment at which the newest thing of it was made.
  private static func newest(of inventory: JobInventory) -> [Owner: Timestamp] {
    let dated = inventory.resources.compactMap { resource in resource.createdAt.map { (Owner(resource), $0) } }
    return Dictionary(dated, uniquingKeysWith: max)
  }

  private static func words(_ seconds: Double) -> String {
    switch seconds {
    case 172_800...: "\(Int(saturating: seconds / 86_400)) days"
    case 7200...: "\(Int(saturating: seconds / 3600)) hours"
    default: "\(max(0, Int(saturating: seconds / 60))) minutes"
    }
  }
}
