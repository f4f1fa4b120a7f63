import Dagrun
import Foundation
import GoogleCloud

@testable import Clash

/// Topics, subscriptions, templates and groups, by name; and what Google remembers of calls.
struct SimulatedCloud {
  var topics: [String: Bool] = [:]
  var subscriptions: [String: Subscription] = [:]
  var templates: [String: Bool] = [:]
  var groups: [String: Group] = [:]
  /// Answers to requestIds, the first of each, and when the work is done.
  var answers: [UUID: (JobEvent, at: Double)] = [:]

  final class Subscription {
    let isOurs: Bool
    var messages: [Message] = []
    init(isOurs: Bool) { self.isOurs = isOurs }
  }

  struct Message {
    var id: Int
    var attributes: [String: String]
    var data: Data
    /// Not delivered before: it is under way, or somebody has it.
    var at: Double
    var deliveries = 0
  }

  final class Group {
    let name: String
    let plan: AttemptPlan
    let isOurs: Bool
    var isInserting = true
    var isDeleting = false
    var isGone = false
    var machine: Machine?
    var faults: [CloudError] = []

    init(name: String, plan: AttemptPlan, isOurs: Bool) {
      self.name = name
      self.plan = plan
      self.isOurs = isOurs
    }
  }

  final class Machine {
    let boot: String
    let group: Group
    var state = GroupReport.Machine.State.coming
    /// It runs programs. A VM that hangs is said to run and does not.
    var isAlive = true
    var isDone = false
    var sequence = 0

    init(boot: String, group: Group) {
      self.boot = boot
      self.group = group
    }
  }

  mutating func addForeignResource(_ kind: String, job: String, _ config: JobConfig) {
    let plan = AttemptPlan(number: 1, candidate: Ladder(config).candidates[0])
    switch kind {
    case "topic": topics[job] = false
    case "subscription": subscriptions[job] = Subscription(isOurs: false)
    case "template": templates["\(job)-1"] = false
    default:
      let group = Group(name: "\(job)-1", plan: plan, isOurs: false)
      group.isInserting = false
      groups["\(job)-1"] = group
    }
  }

  /// Of ours, as `leftBehind` would name them.
  func inventory() -> [String] {
    topics.filter(\.value).map { "topic \($0.key)" }.sorted()
      + subscriptions.filter(\.value.isOurs).map { "subscription \($0.key)" }.sorted()
      + templates.filter(\.value).map { "instance template \($0.key)" }.sorted()
      + groups.filter(\.value.isOurs).map { "instance group \($0.key)" }.sorted()
  }
}

extension JobCall {
  var kind: String {
    switch resource {
    case .topic: "topic"
    case .subscription: "subscription"
    case .template: "template"
    case .group: "group"
    }
  }
}

// What Google does when a call arrives.
extension JobWorld {
  /// - Returns: the answer, and how long it takes until it is given.
  func arrive(_ request: CallRequest) throws -> (JobEvent, after: Double) {
    let call = request.call
    if let (answer, moment) = cloud.answers[request.requestID] { return (answer, max(moment - seconds, 0.1)) }
    if random.chance(weather.lostRequests) { return (.failed(call, error(.unavailable, call, status: 503)), 1) }
    if random.chance(weather.lostRequests / 4) {
      // An operation that failed, and that Google answers this id with from now on.
      let answer = JobEvent.failed(call, error(.unavailable, call))
      cloud.answers[request.requestID] = (answer, seconds)
      return (answer, 1)
    }
    var (answer, delay) = try work(request)
    if case .failed(_, let fault) = answer, fault.isTransient || fault.reason == .inUse {
    } else {
      cloud.answers[request.requestID] = (answer, seconds + delay)
    }
    if random.chance(weather.lostAnswers) {
      answer = .failed(call, error(.network, call))
      delay = random.seconds(1...60)
    }
    return (answer, delay)
  }

  func error(_ reason: CloudError.Reason, _ call: JobCall, status: Int? = nil) -> CloudError {
    CloudError(reason, operation: call.verb, subject: "job", message: reason.rawValue, status: status)
  }

  private func work(_ request: CallRequest) throws -> (JobEvent, Double) {
    let call = request.call
    let job = self.request.name
    if call.isRemoval { return try remove(request) }
    switch call {
    case .makeTopic:
      if cloud.topics[job] == false { return (.ownedByOther(call), 0.1) }
      cloud.topics[job] = true
    case .makeSubscription:
      if let there = cloud.subscriptions[job] { return (there.isOurs ? .done(call) : .ownedByOther(call), 0.1) }
      cloud.subscriptions[job] = .init(isOurs: true)
    case .makeTemplate(let plan):
      let name = plan.resourceName(job: job)
      if cloud.templates[name] == false { return (.ownedByOther(call), 0.1) }
      cloud.templates[name] = true
      truth.plans[name] = plan
      return (.done(call), random.seconds(0.1...5))
    case .makeGroup(let plan):
      return try makeGroup(plan, call)
    case .removeGroup, .removeTemplate, .removeSubscription, .removeTopic: break
    }
    return (.done(call), random.seconds(0.05...2))
  }

  private func makeGroup(_ plan: AttemptPlan, _ call: JobCall) throws -> (JobEvent, Double) {
    let name = plan.resourceName(job: request.name)
    if let there = cloud.groups[name] { return (there.isOurs ? .done(call) : .ownedByOther(call), 0.1) }
    guard cloud.templates[name] == true else { throw Violation("group \(name) is asked for without its template") }
    truth.groupsMade += 1
    let fails = random.chance(weather.failedInserts)
    if fails, random.chance(50) { return (.failed(call, error(.outOfCapacity, call)), random.seconds(1...10)) }
    let group = SimulatedCloud.Group(name: name, plan: plan, isOurs: true)
    cloud.groups[name] = group
    let delay = random.seconds(0.5...20)
    planMachine(of: group, after: random.seconds(0.2...30))
    self.plan(after: delay) { group.isInserting = false }
    return (fails ? .failed(call, error(.outOfCapacity, call)) : .done(call), delay + 0.1)
  }

  private func remove(_ request: CallRequest) throws -> (JobEvent, Double) {
    let call = request.call
    let job = self.request.name
    let name = call.resource.plan?.resourceName(job: job) ?? job
    let isOurs: Bool? =
      switch call.resource {
      case .topic: cloud.topics[name]
      case .subscription: cloud.subscriptions[name]?.isOurs
      case .template: cloud.templates[name]
      case .group: cloud.groups[name]?.isOurs
      }
    guard let isOurs else { return (.done(call), 0.1) }
    guard isOurs else {
      guard request.checksOwner else { throw Violation("another owner's \(call.kind) is removed") }
      return (.ownedByOther(call), 0.1)
    }
    if weather.irremovable.contains(call.kind) {
      return (.failed(call, error(.permissionDenied, call, status: 403)), 0.1)
    }
    switch call.resource {
    case .topic: cloud.topics[name] = nil
    case .subscription: cloud.subscriptions[name] = nil
    case .template:
      guard cloud.groups[name] == nil else { return (.failed(call, error(.inUse, call, status: 400)), 0.1) }
      cloud.templates[name] = nil
    case .group:
      guard let group = cloud.groups[name], !group.isInserting, !group.isDeleting else {
        return (.failed(call, error(.inUse, call, status: 400)), 0.1)
      }
      let delay = random.seconds(0.5...90)
      delete(group, after: delay)
      return (.done(call), delay + 0.1)
    }
    return (.done(call), random.seconds(0.1...5))
  }

  /// By the driver, or by its own VM.
  func delete(_ group: SimulatedCloud.Group, after delay: Double) {
    group.isDeleting = true
    let machine = group.machine
    plan(after: random.seconds(0...delay)) { machine?.isAlive = false }
    plan(after: delay) { [self] in
      group.isGone = true
      group.machine?.isAlive = false
      group.machine = nil
      if cloud.groups[group.name] === group { cloud.groups[group.name] = nil }
      say("group \(group.name) is gone")
    }
  }

  func look(at plan: AttemptPlan) -> JobEvent {
    guard let group = cloud.groups[plan.resourceName(job: request.name)] else { return .inspected(plan, .gone) }
    let machine = group.machine.map { GroupReport.Machine(zone: "z", state: $0.state) }
    return .inspected(plan, .present(machine, faults: machine?.state == .running ? [] : group.faults))
  }
}
