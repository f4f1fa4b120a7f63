import Dagrun
import Foundation
import Model

@testable import Clash
@testable import CloudEmulator

/// The emulated cloud, its VMs, and a driver of one real `Job` that comes and goes, all in the emulator's time.
///
/// The driver asks the emulator by the real clients. While one of its requests waits, the world continues.
final class LedgerWorld: @unchecked Sendable {
  var random: SplitMix
  let weather: LedgerWeather
  let request: JobRequest
  var now = Date(timeIntervalSince1970: 1_800_000_000)
  var emulation: EmulatedCloud
  var machines: [UInt64: Machine] = [:]
  var transcript: [String] = []

  private var agenda: [(at: Date, number: Int, what: () -> Void)] = []
  private var planned = 0
  private var lastRequest: UInt64 = 0
  /// nil: the connection was closed.
  private var answers: [RequestID: APIResponse?] = [:]

  // The driver.
  var job: Job?
  var journal: JobRecord?
  /// Of a home that never came back: another one has taken the job up.
  var firstHome: JobRecord?
  /// The attempt at which it did.
  var attachedAt = 1
  /// Of its lives: what was asked for in an earlier one is answered to nobody.
  var life = 0
  var comesBackAt = Date.distantFuture
  var wakesAt = Date.distantPast
  var cancels = false
  var deaths = 0
  var sleeps = 0
  var isOver = false

  final class Machine {
    let description: VirtualMachineDescription
    var isOn = true
    var sequence = 0
    init(_ description: VirtualMachineDescription) { self.description = description }
    var attempt: String { String(description.name.split(separator: "-")[1]) }
    var group: String { "job-\(attempt)" }
  }

  init(seed: UInt64) {
    var random = SplitMix(seed: seed)
    weather = LedgerWeather(&random)
    var config = JobConfig(project: "proj", image: "i")
    config.zones = random.chance(70) ? ["europe-west1-b", "europe-west1-c"] : []
    config.regions = config.zones.isEmpty ? ["europe-west1"] : []
    config.provisioning = random.pick([.spot, .spotThenStandard, .standard])
    config.maxAttempts = Int.random(in: 1...4, using: &random)
    config.maxRunDurationSeconds = weather.maxRunSeconds
    var request = JobRequest(
      name: "job", spec: JobSpec(config: config, command: .image), origin: JobOrigin(homeID: "home"))
    request.isDetached = weather.isDetached
    self.request = request
    var options = EmulatorOptions()
    options.seed = seed
    options.timing.pendingSeconds = random.seconds(0.1...2)
    options.timing.runningSeconds = random.seconds(0.1...5)
    options.timing.provisioningSeconds = random.seconds(0.1...10)
    options.timing.stagingSeconds = random.seconds(0.1...20)
    options.timing.creationRetrySeconds = 20
    options.timing.repairSeconds = random.seconds(1...60)
    options.timing.operationLifetimeSeconds = weather.operationLifetimeSeconds
    options.faults = weather.faults
    emulation = EmulatedCloud(
      options: options, address: "127.0.0.1:1", door: FrontDoor(secret: ""), machineFolder: "/machines",
      blobs: BlobStore(folder: nil), key: .ofThisProcess)
    self.random = random
  }

  func say(_ what: String) {
    transcript.append("\(Int(now.timeIntervalSince1970 - 1_800_000_000)) s: \(what)")
  }

  // MARK: Time

  func plan(after seconds: Double, _ what: @escaping () -> Void) {
    planned += 1
    agenda.append((now.addingTimeInterval(max(seconds, 0)), planned, what))
  }

  /// The next thing happens, at its time.
  ///
  /// - Parameter limit: not later than this.
  /// - Returns: false where nothing does.
  func step(until limit: Date = .distantFuture) -> Bool {
    let next = agenda.indices.min { (agenda[$0].at, agenda[$0].number) < (agenda[$1].at, agenda[$1].number) }
    let moments = [next.map { agenda[$0].at }, emulation.nextWake].compactMap { $0 }
    guard let moment = moments.min(), moment <= limit else {
      guard limit < .distantFuture else { return false }
      now = max(now, limit)
      return true
    }
    now = max(now, moment)
    emulation.advance(to: now)
    settle()
    if let next, agenda[next].at <= now {
      let entry = agenda.remove(at: next)
      entry.what()
      settle()
    }
    return true
  }

  // MARK: The cloud

  func receive(_ method: String, _ target: String, _ body: Data = Data()) -> RequestID {
    lastRequest += 1
    let id = RequestID(value: lastRequest)
    emulation.receive(
      APIRequest(method, target, headers: ["content-type": "application/json"], body: body), id, at: now)
    settle()
    return id
  }

  func takeAnswer(to id: RequestID) -> APIResponse?? { answers.removeValue(forKey: id) }

  private func settle() {
    var outputs = emulation.takeOutputs()
    while !outputs.isEmpty {
      for output in outputs {
        switch output {
        case .answer(let id, let response): answers[id] = .some(response)
        case .drop(let id): answers[id] = .some(nil)
        case .machine(let command): obey(command)
        }
      }
      outputs = emulation.takeOutputs()
    }
  }

  private func obey(_ command: HostCommand) {
    switch command {
    case .boot(let description):
      let machine = Machine(description)
      machines[description.id] = machine
      emulation.machine(description.id, did: .booted, at: now)
      begin(machine)
    case .preempt(let id, let graceSeconds): machines[id].map { preempt($0, graceSeconds) }
    case .shutDown(let id, _): machines[id].map { machine in powerOff(machine, after: random.seconds(0...25)) }
    case .kill(let id): machines[id].map { powerOff($0, after: 0) }
    case .forget: break
    }
  }
}

/// What goes wrong in a world.
struct LedgerWeather {
  var isDetached: Bool
  var maxRunSeconds: Int?
  /// Google's are days; then a client may sleep for longer than they last.
  var operationLifetimeSeconds = 14 * 86_400.0
  /// Of the client, while it waits: killed, or asleep.
  var meanSecondsBetweenDeaths: Double?
  var meanSecondsBetweenSleeps: Double?
  /// In percent.
  var mutePreemptions: Double
  var muteMachines: Double
  var deaths: Double
  var otherOwners: Double
  var isCancelled: Bool
  /// The client may not read operations, or instances.
  var mayReadOperations = true
  var mayReadInstances = true
  var attachesElsewhere: Bool
  var faults: [FaultRule] = []

  /// The client is there all the time, nobody else is, and all may be read.
  var isCalm: Bool {
    !isDetached && maxRunSeconds == nil && meanSecondsBetweenDeaths == nil && meanSecondsBetweenSleeps == nil
      && otherOwners == 0 && mayReadOperations && mayReadInstances
  }

  /// All of them may be read, and the cloud remembers them for longer than a world lasts.
  var operationsTell: Bool { mayReadOperations && operationLifetimeSeconds > 3600 }

  init(_ random: inout SplitMix) {
    isDetached = random.chance(30)
    if random.chance(20) { maxRunSeconds = Int.random(in: 600...3600, using: &random) }
    if !isDetached, random.chance(20) { operationLifetimeSeconds = 3600 }
    if random.chance(50) { meanSecondsBetweenDeaths = random.pick([10, 100, 1000]) }
    if random.chance(40) { meanSecondsBetweenSleeps = random.pick([10, 100, 1000]) }
    mutePreemptions = random.pick([0, 50, 100])
    muteMachines = random.pick([0, 0, 30])
    deaths = random.pick([0, 0, 30])
    otherOwners = random.pick([0, 0, 0, 30])
    isCancelled = random.chance(25)
    // How many VMs a group has made, nothing else tells.
    if !isDetached, random.chance(10) { mayReadOperations = false }
    if random.chance(10) { mayReadInstances = false }
    attachesElsewhere = random.chance(20)
    if random.chance(50) {
      faults.append(
        FaultRule(.creation(MachinePattern(), .stockOut), probability: random.seconds(0...0.7)))
    }
    if random.chance(60) {
      for _ in 0..<4 {
        faults.append(FaultRule(.preemption(MachinePattern(), afterSeconds: random.seconds(0...900)), probability: 0.3))
      }
    }
    if random.chance(20) { faults.append(FaultRule(.boot(MachinePattern(), .hangs), probability: 0.3)) }
    if random.chance(20) { faults.append(FaultRule(.boot(MachinePattern(), .fails), probability: 0.3)) }
  }
}
