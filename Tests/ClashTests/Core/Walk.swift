import Dagrun
import Foundation
import GoogleCloud
import Model

@testable import Clash

/// A job led by hand through its life. Actions are shown as words, in their order.
struct Walk {
  var job: Job
  var now = Timestamp(microseconds: 1_800_000_000_000_000)
  var lastRequest: CallRequest?
  /// Besides looks.
  var requests = 0
  private var lookedAt: AttemptPlan?
  private(set) var consoleReading = ConsoleReading.never
  private var acks = 0
  private let start = Timestamp(microseconds: 1_800_000_000_000_000)

  enum Place { case makeGroup }

  init(
    zones: [String] = ["z-a1-b"], timeout: Double? = nil, isDetached: Bool = false, maxAttempts: Int = 10,
    provisioning: JobConfig.Provisioning = .standard
  ) {
    var config = JobConfig(project: "p", image: "i")
    config.provisioning = provisioning
    config.zones = zones
    config.maxAttempts = maxAttempts
    var spec = JobSpec(config: config, command: .image)
    spec.timeoutSeconds = timeout
    var request = JobRequest(name: "j", spec: spec, origin: JobOrigin(homeID: "h"))
    request.isDetached = isDetached
    job = Job(request, at: now)
  }

  /// The group's insertion is under way.
  init(
    to place: Place, zones: [String] = ["z-a1-b"], timeout: Double? = nil, isDetached: Bool = false,
    maxAttempts: Int = 10
  ) {
    self.init(zones: zones, timeout: timeout, isDetached: isDetached, maxAttempts: maxAttempts)
    _ = resume()
    _ = done(.makeTopic)
    _ = done(.makeSubscription)
    _ = done(.makeTemplate(plan(1)))
  }

  static func waiting(
    zones: [String] = ["z-a1-b"], timeout: Double? = nil, isDetached: Bool = false, maxAttempts: Int = 10
  ) -> Walk {
    var walk = Walk(to: .makeGroup, zones: zones, timeout: timeout, isDetached: isDetached, maxAttempts: maxAttempts)
    _ = walk.done(.makeGroup(walk.plan(1)))
    return walk
  }

  static func running(
    zones: [String] = ["z-a1-b"], timeout: Double? = nil, isDetached: Bool = false,
    provisioning: JobConfig.Provisioning = .standard
  ) -> Walk {
    var walk = Walk(zones: zones, timeout: timeout, isDetached: isDetached, provisioning: provisioning)
    _ = walk.resume()
    _ = walk.done(.makeTopic)
    _ = walk.done(.makeSubscription)
    _ = walk.done(.makeTemplate(walk.plan(1)))
    _ = walk.done(.makeGroup(walk.plan(1)))
    _ = walk.hear("started")
    return walk
  }

  /// Leads attempt `number`, whose template is under way, to its running container.
  mutating func run(_ number: Int) {
    _ = done(.makeTemplate(plan(number)))
    _ = done(.makeGroup(plan(number)))
    if number > 1 { _ = done(.removeTemplate(plan(number - 1))) }
    _ = hear("started", attempt: number)
  }

  func plan(_ number: Int) -> AttemptPlan {
    let attempt = job.attempts[number - 1]
    return AttemptPlan(
      number: number,
      candidate: MachineCandidate(
        machineType: attempt.machineType, isSpot: attempt.isSpot, place: .zone(attempt.zone ?? "")))
  }

  var elapsed: Double { now.seconds(since: start) }

  var failure: InfrastructureFailure? {
    guard case .infrastructure(let failure) = job.outcome?.ending else { return nil }
    return failure
  }

  func fault(_ reason: CloudError.Reason) -> CloudError {
    CloudError(reason, operation: "do", subject: "it", message: reason.rawValue)
  }

  // MARK: Steps

  mutating func resume(isOverElsewhere: Bool = false) -> [String] {
    show(job.resume(at: now, isOverElsewhere: isOverElsewhere))
  }

  mutating func restart() throws -> [String] {
    job = try Job(restoring: job.record())
    return resume()
  }

  mutating func tell(_ event: JobEvent) -> [String] { show(job.handle(event, at: now)) }
  mutating func done(_ call: JobCall) -> [String] { tell(.done(call)) }

  mutating func wake(after seconds: Double) -> [String] {
    now = now.adding(seconds: seconds)
    return tell(.wake)
  }

  /// The answer to the last look.
  mutating func look(
    _ state: GroupReport.Machine.State?, _ faults: [CloudError] = [], console: String? = nil
  ) -> [String] {
    guard let plan = lookedAt else { return [] }
    lookedAt = nil
    return tell(
      .inspected(
        plan,
        .present(
          state.map { .init(zone: nil, state: $0, console: console.map { SerialConsole($0) }) }, faults: faults)))
  }

  mutating func hear(_ kind: String, attempt: Int = 1, boot: String = "b", _ data: String = "") -> [String] {
    tell(.received([message(kind, attempt: attempt, boot: boot, data: data)]))
  }

  mutating func log(_ text: String, at offset: Int) -> [String] {
    var part = message("log", attempt: 1, data: text)
    part.attributes["offset"] = "\(offset)"
    return tell(.received([part]))
  }

  mutating func message(_ kind: String, attempt: Int, boot: String = "b", data: String) -> JobMessage {
    acks += 1
    let attributes = ["dagrun": "1", "job": "j", "attempt": "\(attempt)", "boot": boot, "kind": kind]
    return JobMessage(ackID: "ack\(acks)", attributes: attributes, data: Data(data.utf8))
  }

  /// Answers the removals that are asked for until nothing more is, with what was asked.
  mutating func removeAll() -> [String] {
    var asked: [String] = []
    while let call = job.underWay?.call, call.isRemoval {
      asked.append(call.verb)
      _ = done(call)
    }
    return asked
  }

  static func result(
    _ status: Int?, infrastructure: String = "null", output: String? = nil, log: String = "", endedAfter: Double = 2.5
  ) -> String {
    let output = output.map { "\"\(Data($0.utf8).base64EncodedString())\"" } ?? "null"
    return """
      {"status":\(status.map { "\($0)" } ?? "null"),"infrastructure":\(infrastructure),"startedAt":1800000000.0,
       "endedAt":\(1_800_000_000 + endedAfter),"logBytes":\(log.utf8.count),
       "logTail":"\(Data(log.utf8).base64EncodedString())","output":\(output)}
      """
  }

  private mutating func show(_ actions: [JobAction]) -> [String] {
    var shown: [String] = []
    for action in actions {
      switch action {
      case .call(let request):
        lastRequest = request
        requests += 1
        shown.append(request.call.verb)
      case .inspect(let plan, let console):
        lookedAt = plan
        consoleReading = console
        shown.append("inspect \(plan.number)")
      case .acknowledge(let ids):
        requests += 1
        shown.append("acknowledge \(ids.count)")
      case .writeLog(let bytes, _): shown.append("log \(String(decoding: bytes, as: UTF8.self))")
      case .tell(.note(let text)): shown.append(text)
      case .tell(.began(let attempt)): shown.append("began \(attempt.number)")
      case .tell(.log), .tell(.ended): break
      }
    }
    return shown
  }
}
