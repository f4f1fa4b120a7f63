/// The form in files and requests is flat: what it happens to (`request` or `machine`), what happens, how often.
///
///     {"request": {"method": "compute.*.insert"}, "status": 503, "times": 2}
///     {"machine": {"zone": "europe-west1-b"}, "creation": "stockOut"}
extension FaultRule: Codable {
  fileprivate struct Form: Codable {
    var id: String?
    var times: Int?
    var probability: Double?
    var after: Int?
    var request: RequestPattern?
    var status: Int?
    var reason: String?
    var message: String?
    var retryAfterSeconds: Int?
    var delaySeconds: Double?
    var answerLost: Bool?
    var dropped: Bool?
    var operationError: String?
    var machine: MachinePattern?
    var creation: String?
    var metric: String?
    var boot: String?
    var preemptAfterSeconds: Double?

    static let keys: Set<String> = [
      "id", "times", "probability", "after", "request", "status", "reason", "message", "retryAfterSeconds",
      "delaySeconds", "answerLost", "dropped", "operationError", "machine", "creation", "metric", "boot",
      "preemptAfterSeconds",
    ]
  }

  private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }

  package init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
    func refuse(_ why: String) -> DecodingError {
      .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: why))
    }
    if let unknown = keys.filter({ !Form.keys.contains($0) }).min() {
      throw refuse("a fault has no field '\(unknown)'; docs/emulator.md lists them")
    }
    // A misspelt pattern would fit everything.
    let container = try decoder.container(keyedBy: AnyKey.self)
    for (key, known) in [("request", ["method", "path"]), ("machine", ["zone", "machineType", "name", "isSpot"])] {
      guard let key = AnyKey(stringValue: key), container.contains(key) else { continue }
      let pattern = try container.nestedContainer(keyedBy: AnyKey.self, forKey: key)
      if let unknown = pattern.allKeys.map(\.stringValue).filter({ !known.contains($0) }).min() {
        throw refuse("'\(key.stringValue)' has no field '\(unknown)', only \(known.joined(separator: ", "))")
      }
    }
    let form = try Form(from: decoder)
    if let field = form.outOfRange { throw refuse(field) }
    self.init(
      try form.fault(refuse), times: form.times, probability: form.probability, after: form.after, id: form.id)
  }

  package func encode(to encoder: any Encoder) throws {
    var form = Form(id: id, times: times, probability: probability, after: after)
    switch fault {
    case .request(let pattern, let fault):
      form.request = pattern
      form.set(fault)
    case .creation(let pattern, let fault):
      form.machine = pattern
      form.set(fault)
    case .boot(let pattern, let fault):
      form.machine = pattern
      form.set(fault)
    case .preemption(let pattern, let afterSeconds):
      form.machine = pattern
      form.preemptAfterSeconds = afterSeconds
    }
    try form.encode(to: encoder)
  }
}

extension FaultRule.Form {
  /// The first number that can mean nothing.
  fileprivate var outOfRange: String? {
    func check<Number: Comparable>(_ name: String, _ value: Number?, _ range: ClosedRange<Number>) -> String? {
      guard let value, !range.contains(value) else { return nil }
      return "'\(name)' is from \(range.lowerBound) to \(range.upperBound), not \(value)"
    }
    return check("times", times, 0...1_000_000_000) ?? check("after", after, 0...1_000_000_000)
      ?? check("probability", probability, 0...1) ?? check("status", status, 200...599)
      ?? check("retryAfterSeconds", retryAfterSeconds, 0...86400) ?? check("delaySeconds", delaySeconds, 0...86400)
      ?? check("preemptAfterSeconds", preemptAfterSeconds, 0...10_000_000)
  }

  fileprivate func fault(_ refuse: (String) -> DecodingError) throws -> Fault {
    switch (request, machine) {
    case (let pattern?, nil):
      guard let fault = requestFault else {
        throw refuse(
          "a fault of a request says what happens: status, delaySeconds, answerLost, dropped or operationError")
      }
      return .request(pattern, fault)
    case (nil, let pattern?):
      if let creation { return .creation(pattern, try creationFault(creation, refuse)) }
      if let boot { return .boot(pattern, try bootFault(boot, refuse)) }
      if let preemptAfterSeconds { return .preemption(pattern, afterSeconds: preemptAfterSeconds) }
      throw refuse("a fault of a machine says what happens: creation, boot or preemptAfterSeconds")
    case (nil, nil), (.some, .some):
      throw refuse("a fault happens either to a request or to a machine: give one of the two")
    }
  }

  private var requestFault: RequestFault? {
    if let status {
      return .status(status, reason: reason, message: message, retryAfterSeconds: retryAfterSeconds)
    }
    if let operationError { return .operationError(code: operationError, message: message) }
    if answerLost == true { return .answerLost }
    if dropped == true { return .dropped }
    return delaySeconds.map { .delay(seconds: $0) }
  }

  private func creationFault(_ name: String, _ refuse: (String) -> DecodingError) throws -> CreationFault {
    switch name {
    case "stockOut": return .stockOut
    case "quota": return .quota(metric: metric ?? "CPUS")
    case "permission": return .permission
    default:
      guard name == name.uppercased() else {
        throw refuse("creation is stockOut, quota, permission or one of Google's codes, not '\(name)'")
      }
      return .other(code: name, message: message ?? "The instance could not be created.")
    }
  }

  private func bootFault(_ name: String, _ refuse: (String) -> DecodingError) throws -> BootFault {
    switch name {
    case "fails": return .fails
    case "hangs": return .hangs
    case "slow": return .slow(seconds: delaySeconds ?? 30)
    case "cutOff": return .cutOff
    default: throw refuse("boot is fails, hangs, slow or cutOff, not '\(name)'")
    }
  }

  fileprivate mutating func set(_ fault: RequestFault) {
    switch fault {
    case .status(let status, let reason, let message, let retryAfterSeconds):
      self.status = status
      self.reason = reason
      self.message = message
      self.retryAfterSeconds = retryAfterSeconds
    case .delay(let seconds): delaySeconds = seconds
    case .answerLost: answerLost = true
    case .dropped: dropped = true
    case .operationError(let code, let message):
      operationError = code
      self.message = message
    }
  }

  fileprivate mutating func set(_ fault: CreationFault) {
    switch fault {
    case .stockOut: creation = "stockOut"
    case .permission: creation = "permission"
    case .quota(let metric):
      creation = "quota"
      self.metric = metric
    case .other(let code, let message):
      creation = code
      self.message = message
    }
  }

  fileprivate mutating func set(_ fault: BootFault) {
    switch fault {
    case .fails: boot = "fails"
    case .hangs: boot = "hangs"
    case .slow(let seconds):
      boot = "slow"
      delaySeconds = seconds
    case .cutOff: boot = "cutOff"
    }
  }
}
