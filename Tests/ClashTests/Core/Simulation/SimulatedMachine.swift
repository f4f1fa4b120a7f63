import Dagrun
import Foundation
import GoogleCloud

@testable import Clash

// What a group does to have its VM, and what the VM does.
extension JobWorld {
  func planMachine(of group: SimulatedCloud.Group, after delay: Double) {
    plan(after: delay) { [self] in
      guard !group.isGone, !group.isDeleting, group.machine == nil else { return }
      func refuse(_ reason: CloudError.Reason) {
        say("\(group.name): \(reason)")
        group.faults = [CloudError(reason, operation: "make VM", subject: group.name, message: "\(reason)")]
        // Groups try for ever.
        planMachine(of: group, after: random.seconds(30...120))
      }
      if random.chance(weather.refusals) { return refuse(.permissionDenied) }
      if random.chance(weather.quota) { return refuse(.quotaExceeded) }
      if random.chance(weather.stockOuts) { return refuse(.outOfCapacity) }
      boot(group)
    }
  }

  private func boot(_ group: SimulatedCloud.Group) {
    truth.machinesMade += 1
    let machine = SimulatedCloud.Machine(boot: String(UnicodeScalar(UInt8(64 + truth.machinesMade % 26))), group: group)
    group.machine = machine
    say("\(group.name): VM \(machine.boot)")
    plan(after: random.seconds(1...20)) { [self] in
      guard machine.isAlive else { return }
      machine.state = .running
      if random.chance(weather.bootFailures) { return }
      if random.chance(weather.hangs) { plan(after: random.seconds(0...600)) { machine.isAlive = false } }
      if random.chance(weather.deaths) { plan(after: random.seconds(0...600)) { [self] in stop(machine) } }
      if random.chance(weather.preemptions) { plan(after: random.seconds(0...900)) { [self] in preempt(machine) } }
      plan(after: random.seconds(1...60)) { [self] in runContainer(machine) }
    }
  }

  private func stop(_ machine: SimulatedCloud.Machine) {
    guard machine.isAlive else { return }
    say("VM \(machine.boot) stops")
    machine.isAlive = false
    machine.state = .ended
    if request.isDetached {
      plan(after: random.seconds(5...60)) { [self] in
        guard machine.group.machine === machine else { return }
        machine.group.machine = nil
        planMachine(of: machine.group, after: random.seconds(5...60))
      }
    }
  }

  private func preempt(_ machine: SimulatedCloud.Machine) {
    guard machine.isAlive else { return }
    say("VM \(machine.boot) is preempted")
    if random.chance(80) { publish("preempted", from: machine) }
    plan(after: random.seconds(0...30)) { [self] in stop(machine) }
  }

  private func runContainer(_ machine: SimulatedCloud.Machine) {
    guard machine.isAlive else { return }
    let began = now.microseconds
    publish("started", from: machine, data: Data("{\"startedAt\":\(Double(began) / 1e6)}".utf8))
    beat(machine)
    let duration = random.pick([random.seconds(0...5), random.seconds(5...600), random.seconds(600...4000)])
    let end = seconds + min(duration, weather.longestContainerSeconds)
    printLog(machine, records: 0, until: end, began: began)
  }

  private func beat(_ machine: SimulatedCloud.Machine) {
    plan(after: 60) { [self] in
      guard machine.isAlive, !machine.isDone else { return }
      publish("heartbeat", from: machine)
      beat(machine)
    }
  }

  /// Four bytes say which VM and which place: `A001`, `A002`, …
  static func record(_ machine: String, _ number: Int) -> String { machine + String(1000 + number).suffix(3) }

  private func printLog(_ machine: SimulatedCloud.Machine, records: Int, until end: Double, began: Int64) {
    let pause = max((end - seconds) * random.seconds(0.1...0.6), 1)
    plan(after: min(pause, max(end - seconds, 0))) { [self] in
      guard machine.isAlive else { return }
      var records = records
      if records < 900, random.chance(80) {
        let count = Int.random(in: 1...20, using: &random)
        let text = (records..<records + count).map { Self.record(machine.boot, $0) }.joined()
        if !random.chance(weather.unsentLogs) {
          publish("log", from: machine, ["offset": "\(records * 4)"], data: Data(text.utf8))
        }
        records += count
      }
      if seconds < end { return printLog(machine, records: records, until: end, began: began) }
      finish(machine, records: records, began: began)
    }
  }

  private func finish(_ machine: SimulatedCloud.Machine, records: Int, began: Int64) {
    let status = random.pick([0, 0, 1, 127])
    let tail = (max(records - 10, 0)..<records).map { Self.record(machine.boot, $0) }.joined()
    let result: [String: Any] = [
      "status": status, "infrastructure": NSNull(), "startedAt": Double(began) / 1e6,
      "endedAt": Double(now.microseconds) / 1e6, "logBytes": records * 4,
      "logTail": Data(tail.utf8).base64EncodedString(), "output": NSNull(),
    ]
    machine.isDone = true
    say("VM \(machine.boot) ends with \(status)")
    publish("result", from: machine, data: try! JSONSerialization.data(withJSONObject: result))
    truth.endings.append(
      .init(attempt: machine.group.plan.number, boot: machine.boot, status: status, logRecords: records))
    guard !random.chance(weather.groupsStay) else { return }
    plan(after: random.seconds(0...10)) { [self] in
      guard machine.isAlive, !machine.group.isInserting, !machine.group.isDeleting else { return }
      delete(machine.group, after: random.seconds(0.5...60))
    }
  }

  // MARK: Pub/Sub

  func publish(
    _ kind: String, from machine: SimulatedCloud.Machine, _ more: [String: String] = [:], data: Data = Data()
  ) {
    machine.sequence += 1
    // A topic without a subscription keeps nothing; a VM whose topic is gone gives up after some minutes.
    guard cloud.topics[request.name] == true, let subscription = cloud.subscriptions[request.name] else { return }
    var attributes = more
    attributes["dagrun"] = "1"
    attributes["job"] = request.name
    attributes["attempt"] = "\(machine.group.plan.number)"
    attributes["boot"] = machine.boot
    attributes["kind"] = kind
    attributes["sequence"] = "\(machine.sequence - 1)"
    let delay = random.chance(weather.lateMessages) ? random.seconds(2...200) : random.seconds(0.01...2)
    let message = SimulatedCloud.Message(
      id: Int.random(in: 0...Int.max, using: &random), attributes: attributes, data: data, at: seconds + delay)
    subscription.messages.append(message)
    plan(after: delay) { [self] in try answerPull() }
  }

  /// Delivers what is there, in no order, some of it twice; nil when there is nothing.
  func takeMessages() -> [JobMessage]? {
    guard let subscription = cloud.subscriptions[request.name] else { return nil }
    var ready = subscription.messages.indices.filter { subscription.messages[$0].at <= seconds }
    guard !ready.isEmpty else { return nil }
    ready.shuffle(using: &random)
    if random.chance(50) { ready = Array(ready.prefix(Int.random(in: 1...ready.count, using: &random))) }
    return ready.map { index in
      subscription.messages[index].deliveries += 1
      // The ack deadline; or it comes once more although nothing is wrong.
      let again = random.chance(weather.duplicates) ? random.seconds(0...20) : 120
      subscription.messages[index].at = seconds + again
      plan(after: again) { [self] in try answerPull() }
      let message = subscription.messages[index]
      return JobMessage(
        ackID: "\(message.id)/\(message.deliveries)", attributes: message.attributes, data: message.data)
    }
  }
}
