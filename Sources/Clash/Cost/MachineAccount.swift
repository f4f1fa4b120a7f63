internal import Dagrun
package import Model

/// Which VMs an attempt had, and when each began and ended to be charged for, by what the cloud has said of them. Never
/// by when somebody looked: a client may sleep, or be dead, through all of it.
///
/// Google charges from RUNNING to TERMINATED, or to the end of the deletion. docs/jobs.md ("Costs") has the table of
/// ways in which a VM begins and ends, and MachineAccountTests a case for each.
///
/// | begin | by |
/// |---|---|
/// | exact | the VM's `lastStartTimestamp`, while it could be read |
/// | not before | its `creationTimestamp`; the operation that made it; the request for its group |
/// | not after | its first message |
///
/// | end | by |
/// |---|---|
/// | exact | `lastStopTimestamp`; the end of the operation that stopped it, or deleted it while it ran |
/// | not before | what the cloud did to it by itself (preemption, its own power-off, a limit); its last message |
/// | not after | so long after that as Google gives a VM to shut down; the end of its deletion; its group was gone |
package struct MachineAccount {
  /// From the notice of a preemption to the end.
  static let preemptionGraceSeconds = 30.0
  /// From any other end that the cloud begins by itself. Google gives a VM some 90.
  static let shutDownSeconds = 120.0
  /// Of clocks. An older VM of this name is some other job's.
  static let clockErrorSeconds = 600.0

  private let attempt: JobAttempt
  private let evidence: MachineEvidence

  private init(_ attempt: JobAttempt, _ evidence: MachineEvidence) {
    self.attempt = attempt
    self.evidence = evidence
  }

  package static func machines(of attempt: JobAttempt, by evidence: MachineEvidence) -> [MachineUse] {
    MachineAccount(attempt, evidence).machines
  }

  private var machines: [MachineUse] {
    let known = areHistoriesComplete ? histories : []
    guard known.isEmpty else {
      return known.indices.map { index in
        // A group makes a VM of the same name again only when the old one is gone.
        let again = known[(index + 1)...].first { $0.name == known[index].name }?.firstMoment
        return use(of: known[index], isOnly: known.count == 1, madeAgain: again)
      }
    }
    guard hadUnknownMachine else { return [] }
    let latest = evidence.firstWordAt ?? lastSign ?? evidence.groupGoneAt ?? attempt.requestedAt
    let began = TimeBounds(attempt.requestedAt, latest)
    return [
      MachineUse(
        zone: attempt.zone, began: began, ended: unwitnessedEnd(began, nil, isOnly: true, madeAgain: nil),
        isDoubtful: !hasSpoken && !evidence.wasSeen, wasPreempted: evidence.preemptionWordAt != nil)
    ]
  }

  /// All that is known of one VM.
  private struct History {
    var id: String
    var instance: InstanceFact?
    /// In order.
    var operations: [OperationFact]

    var name: String? { instance?.name ?? operations.first?.instanceName }
    var insertion: OperationFact? { operations.first { $0.type == "insert" } }
    var firstMoment: Timestamp? { instance?.createdAt ?? operations.first?.askedAt }
  }

  private var histories: [History] {
    let instances = Dictionary(evidence.instances.map { ($0.id, $0) }) { $1 }
    let operations = Dictionary(grouping: evidence.operations ?? [], by: \.instanceID)
    let notBefore = attempt.requestedAt.adding(seconds: -Self.clockErrorSeconds)
    return Set(instances.keys).union(operations.keys).compactMap { id in
      let history = History(
        id: id, instance: instances[id],
        operations: (operations[id] ?? []).sorted { $0.askedAt < $1.askedAt })
      guard let first = history.firstMoment, first >= notBefore else { return nil }
      return history
    }.sorted { ($0.firstMoment ?? .lowest, $0.id) < ($1.firstMoment ?? .lowest, $1.id) }
  }

  /// There was a VM though the cloud says nothing of it, or may have been one.
  private var hadUnknownMachine: Bool {
    if evidence.wasSeen || hasSpoken { return true }
    guard !evidence.areOperationsComplete, evidence.groupGoneAt != nil else { return false }
    switch attempt.ending {
    // The group itself said that it had none.
    case .outOfCapacity, .quotaExceeded, .notOffered: return false
    case .succeeded, .failed, .preempted, .lost, .cancelled, .timedOut, .refused, nil: return true
    }
  }

  /// No VM is missing. A group that repairs may have had others; then what is known is when it had any.
  private var areHistoriesComplete: Bool {
    !evidence.groupRepairs || evidence.areOperationsComplete || evidence.groupGoneAt == nil
  }

  private var hasSpoken: Bool { lastSign != nil }

  private var lastSign: Timestamp? {
    [evidence.firstWordAt, evidence.preemptionWordAt, evidence.resultWordAt].compactMap { $0 }.max()
  }

  // MARK: One of them

  /// - Parameters:
  ///   - isOnly: whatever was said to the job was said by it.
  ///   - again: when the next VM of its name was made.
  private func use(of history: History, isOnly: Bool, madeAgain again: Timestamp?) -> MachineUse {
    let instance = history.instance
    let starts = history.operations.filter { Self.startTypes.contains($0.type) }
    let created = instance?.createdAt ?? history.insertion?.askedAt ?? attempt.requestedAt
    // One that was started again has run before, too.
    let isFirstStart = starts.isEmpty && (instance?.stoppedAt).map { $0 >= instance?.startedAt ?? $0 } ?? true
    let started = isFirstStart ? instance?.startedAt : nil
    let end = end(of: history, after: starts.last?.askedAt, isOnly: isOnly)
    let wasUp =
      instance?.startedAt != nil || !starts.isEmpty || (isOnly && hasSpoken)
      || history.operations.contains { isEnd($0) }
    let latest =
      (isOnly ? evidence.firstWordAt : nil) ?? end.bounds?.earliest ?? end.notBefore ?? evidence.groupGoneAt ?? created
    let began = started.map { TimeBounds($0) } ?? TimeBounds(created, latest)
    var ended = end.bounds
    if let bounds = ended { ended = TimeBounds(max(bounds.earliest, began.earliest), bounds.latest) }
    return MachineUse(
      id: history.id, name: history.name,
      zone: instance?.zone ?? history.operations.first?.zone, began: began,
      ended: ended ?? unwitnessedEnd(began, end.notBefore, isOnly: isOnly, madeAgain: again), isDoubtful: !wasUp,
      wasPreempted: history.operations.contains { $0.type == Self.preemption }
        || (isOnly && evidence.preemptionWordAt != nil))
  }

  private func end(
    of history: History, after start: Timestamp?, isOnly: Bool
  ) -> (bounds: TimeBounds?, notBefore: Timestamp?) {
    if let instance = history.instance, instance.isOff, let stopped = instance.stoppedAt,
      stopped >= instance.startedAt ?? stopped, start.map({ stopped >= $0 }) ?? true
    {
      return (TimeBounds(stopped), nil)
    }
    let later = history.operations.filter { operation in start.map { operation.askedAt > $0 } ?? true }
    let deleted = later.first { $0.type == "delete" && $0.endedAt != nil }?.endedAt
    guard let first = later.first(where: isEnd) else { return (deleted.map { TimeBounds($0) }, nil) }
    if first.type == "stop" || first.type == "suspend" {
      return first.endedAt.map { (TimeBounds($0), nil) } ?? (
        deleted.map { TimeBounds(first.askedAt, $0) }, first.askedAt
      )
    }
    let limit: Timestamp? =
      switch first.type {
      case Self.preemption:
        max(first.askedAt.adding(seconds: Self.preemptionGraceSeconds), first.endedAt ?? .lowest)
      case _ where Self.finalTypes.contains(first.type): first.askedAt.adding(seconds: Self.shutDownSeconds)
      // What it is this program does not know: maybe an end, maybe not.
      default: nil
      }
    guard let latest = [limit, deleted].compactMap({ $0 }).min() else { return (nil, first.askedAt) }
    return (TimeBounds(first.askedAt, latest), nil)
  }

  /// It is gone, and nothing tells since when. The next one was made later, or its group was gone.
  private func unwitnessedEnd(
    _ began: TimeBounds, _ notBefore: Timestamp?, isOnly: Bool, madeAgain again: Timestamp?
  ) -> TimeBounds? {
    guard let gone = again ?? evidence.groupGoneAt else { return nil }
    let word = isOnly && !evidence.groupRepairs ? evidence.preemptionWordAt : nil
    let told = word?.adding(seconds: Self.preemptionGraceSeconds)
    let earliest = [notBefore, isOnly ? lastSign : nil, began.earliest].compactMap { $0 }.max() ?? began.earliest
    return TimeBounds(earliest, min(gone, told ?? gone))
  }

  // MARK: Operations

  private static let preemption = "compute.instances.preempted"
  private static let startTypes: Set = ["start", "resume", "compute.instances.automaticRestart"]
  private static let finalTypes: Set = [
    "compute.instances.guestTerminate", "compute.instances.hostError", "compute.instances.terminateOnHostMaintenance",
    "compute.instances.terminateOnMaxRunDuration",
  ]
  /// What the cloud does to a VM that runs on.
  private static let harmlessTypes: Set = [
    "compute.instances.migrateOnHostMaintenance", "compute.instances.automaticRestart",
    "compute.instances.repair.recreateInstance",
  ]

  private func isEnd(_ operation: OperationFact) -> Bool {
    if operation.type == "stop" || operation.type == "suspend" { return true }
    return operation.type.hasPrefix("compute.instances.") && !Self.harmlessTypes.contains(operation.type)
  }
}
