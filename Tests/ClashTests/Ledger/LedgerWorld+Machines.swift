import Dagrun
import Foundation

@testable import Clash
@testable import CloudEmulator

// What VMs do, and what others do to them.
extension LedgerWorld {
  func begin(_ machine: Machine) {
    say("VM \(machine.description.name) is up")
    if random.chance(weather.deaths) { powerOff(machine, after: random.seconds(0...900)) }
    if random.chance(weather.otherOwners) { meetOtherOwner(machine, after: random.seconds(0...900)) }
    guard !random.chance(weather.muteMachines) else { return }
    plan(after: random.seconds(0.5...60)) { [self] in
      guard machine.isOn else { return }
      tell("started", machine, "{\"startedAt\":\(now.timeIntervalSince1970)}")
      beat(machine)
      plan(after: random.pick([random.seconds(0...5), random.seconds(5...900), random.seconds(900...9000)])) { [self] in
        finish(machine)
      }
    }
  }

  private func beat(_ machine: Machine) {
    plan(after: 60) { [self] in
      guard machine.isOn else { return }
      tell("heartbeat", machine)
      beat(machine)
    }
  }

  private func finish(_ machine: Machine) {
    guard machine.isOn else { return }
    say("VM \(machine.description.name) has its result")
    let end = now.timeIntervalSince1970
    tell(
      "result", machine,
      """
      {"status":0,"infrastructure":null,"startedAt":\(end - 1),"endedAt":\(end),"logBytes":0,"logTail":"","output":null}
      """)
    plan(after: random.seconds(60...300)) { [self] in
      guard machine.isOn else { return }
      removeGroup(of: machine)
    }
  }

  private func removeGroup(of machine: Machine) {
    let place =
      request.spec.config.zones.isEmpty ? "regions/europe-west1" : "zones/\(machine.description.zone)"
    say("somebody removes \(machine.group)")
    _ = receive("DELETE", "/compute/v1/projects/proj/\(place)/instanceGroupManagers/\(machine.group)")
  }

  func preempt(_ machine: Machine, _ graceSeconds: Double) {
    say("VM \(machine.description.name) is preempted")
    if machine.isOn, !random.chance(weather.mutePreemptions) { tell("preempted", machine) }
    powerOff(machine, after: random.seconds(0...graceSeconds))
  }

  func powerOff(_ machine: Machine, after seconds: Double) {
    plan(after: seconds) { [self] in
      guard machine.isOn else { return }
      machine.isOn = false
      say("VM \(machine.description.name) is off")
      emulation.machine(machine.description.id, did: .ended(.poweredOff), at: now)
    }
  }

  /// A person, or another home's `job gc`.
  private func meetOtherOwner(_ machine: Machine, after seconds: Double) {
    plan(after: seconds) { [self] in
      guard machine.isOn else { return }
      let instance =
        "/compute/v1/projects/proj/zones/\(machine.description.zone)/instances/\(machine.description.name)"
      switch random.pick([0, 1, 2, 3]) {
      case 0: _ = receive("DELETE", instance)
      case 1: _ = receive("POST", instance + "/stop")
      case 2: removeGroup(of: machine)
      default:
        removeGroup(of: machine)
        _ = receive("DELETE", "/v1/projects/proj/subscriptions/job")
        _ = receive("DELETE", "/v1/projects/proj/topics/job")
      }
    }
  }

  private func tell(_ kind: String, _ machine: Machine, _ data: String = "") {
    machine.sequence += 1
    let body = """
      {"messages":[{"attributes":{"dagrun":"1","job":"job","attempt":"\(machine.attempt)","boot":"\(machine.description.id)",
      "kind":"\(kind)","sequence":"\(machine.sequence)"},"data":"\(Data(data.utf8).base64EncodedString())"}]}
      """
    _ = receive("POST", "/v1/projects/proj/topics/job:publish", Data(body.utf8))
  }
}
