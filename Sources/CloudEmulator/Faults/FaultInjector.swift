/// The faults there are, and how often each has happened.
struct FaultInjector: Sendable {
  private var entries: [Entry] = []
  private var generator: SeededGenerator
  private var count = 0

  private struct Entry: Sendable {
    var rule: FaultRule
    /// Matching requests or attempts.
    var seen = 0
    /// Those that went wrong.
    var done = 0
  }

  init(rules: [FaultRule] = [], seed: UInt64 = 1) {
    generator = SeededGenerator(seed: seed)
    for rule in rules { add(rule) }
  }

  /// A rule of the same id is replaced.
  @discardableResult
  mutating func add(_ rule: FaultRule) -> String {
    var rule = rule
    count += 1
    let id = rule.id ?? "fault-\(count)"
    rule.id = id
    entries.removeAll { $0.rule.id == id }
    entries.append(Entry(rule: rule))
    return id
  }

  /// - Returns: false where there is no such rule.
  mutating func remove(_ id: String?) -> Bool {
    let before = entries.count
    entries.removeAll { id == nil || $0.rule.id == id }
    return id == nil || entries.count < before
  }

  /// The rules, and how often each has happened.
  var rows: [(rule: FaultRule, happened: Int)] { entries.map { ($0.rule, $0.done) } }

  mutating func ofRequest(method: String, path: String) -> RequestFault? {
    first { fault -> RequestFault? in
      guard case .request(let pattern, let fault) = fault else { return nil }
      return (pattern.method.map { isMatch($0, method) } ?? true) && (pattern.path.map { isMatch($0, path) } ?? true)
        ? fault : nil
    }
  }

  /// What keeps such a VM from being made.
  mutating func ofCreation(zone: String, machineType: String, name: String, isSpot: Bool) -> CreationFault? {
    first { fault -> CreationFault? in
      guard case .creation(let pattern, let fault) = fault else { return nil }
      return pattern.matches(zone: zone, machineType: machineType, name: name, isSpot: isSpot) ? fault : nil
    }
  }

  mutating func ofBoot(of instance: Instance) -> BootFault? {
    first { fault -> BootFault? in
      guard case .boot(let pattern, let fault) = fault else { return nil }
      return pattern.matches(instance) ? fault : nil
    }
  }

  /// When it is preempted, in seconds after its start.
  mutating func ofPreemption(of instance: Instance) -> Double? {
    first { fault -> Double? in
      guard case .preemption(let pattern, let seconds) = fault else { return nil }
      return instance.isSpot && pattern.matches(instance) ? seconds : nil
    }
  }

  private mutating func first<Found>(_ find: (Fault) -> Found?) -> Found? {
    for index in entries.indices {
      guard let found = find(entries[index].rule.fault) else { continue }
      let rule = entries[index].rule
      entries[index].seen += 1
      if entries[index].seen <= rule.after ?? 0 { continue }
      if let times = rule.times, entries[index].done >= times { continue }
      if let probability = rule.probability, !generator.chance(probability) { continue }
      entries[index].done += 1
      return found
    }
    return nil
  }
}

extension MachinePattern {
  func matches(zone: String, machineType: String, name: String, isSpot: Bool) -> Bool {
    (self.zone.map { isMatch($0, zone) } ?? true)
      && (self.machineType.map { isMatch($0, machineType) } ?? true)
      && (self.name.map { isMatch($0, name) } ?? true) && (self.isSpot.map { $0 == isSpot } ?? true)
  }

  func matches(_ instance: Instance) -> Bool {
    matches(zone: instance.zone, machineType: instance.machineType, name: instance.name, isSpot: instance.isSpot)
  }
}

extension CreationFault {
  /// In Google's words.
  func error(zone: String, machineType: String, project: String) -> ComputeError {
    switch self {
    case .stockOut:
      ComputeError(
        code: "ZONE_RESOURCE_POOL_EXHAUSTED",
        message: "The zone 'projects/\(project)/zones/\(zone)' does not have enough resources available to fulfill the "
          + "request. Try a different zone, or try again later.")
    case .quota(let metric):
      ComputeError(
        code: "QUOTA_EXCEEDED",
        message: "Quota '\(metric)' exceeded.  Limit: 24.0 in region \(ComputeCatalog.region(of: zone)).")
    case .permission:
      ComputeError(
        code: "PERMISSIONS_ERROR",
        message: "Required 'iam.serviceAccounts.actAs' permission for the instance's service account in project "
          + "'\(project)'")
    case .other(let code, let message): ComputeError(code: code, message: message)
    }
  }
}
