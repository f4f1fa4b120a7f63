import Dagrun
import Foundation

@testable import Clash

/// A cloud, a VM and a driver around one real `Job`, in virtual time. Everything that happens is an entry of `agenda`.
final class JobWorld {
  var random: SplitMix
  let weather: Weather
  let request: JobRequest
  /// True time, in seconds. The driver's clock may be wrong by `clockError`.
  var seconds = 0.0
  var clockError = 0.0
  var transcript: [String] = []

  private var agenda: [(at: Double, number: Int, what: () throws -> Void)] = []
  private var planned = 0
  private(set) var steps = 0

  var cloud = SimulatedCloud()
  var driver = SimulatedDriver()
  var truth = Truth()

  init(seed: UInt64, weather: Weather? = nil) {
    var random = SplitMix(seed: seed)
    let weather = weather ?? Weather.of(&random)
    self.weather = weather
    var config = JobConfig(project: "p", image: "i").zones("europe-west1-b", "europe-west1-c")
    config.machineTypes = random.chance(50) ? ["n1-standard-4"] : ["n1-standard-4", "n1-standard-8"]
    config.provisioning = random.pick(JobConfig.Provisioning.allCases)
    config.maxAttempts = Int.random(in: 1...4, using: &random)
    var spec = JobSpec(config: config, command: .image)
    spec.timeoutSeconds = weather.timeoutSeconds
    var request = JobRequest(name: "job", spec: spec, origin: JobOrigin(homeID: "home"))
    request.isDetached = weather.isDetached
    self.request = request
    self.random = random
    if let kind = weather.foreignResource { cloud.addForeignResource(kind, job: request.name, config) }
  }

  var now: Timestamp { Timestamp(microseconds: 1_800_000_000_000_000).adding(seconds: seconds) }
  var driverNow: Timestamp { now.adding(seconds: clockError) }

  func plan(after delay: Double, _ what: @escaping () throws -> Void) {
    planned += 1
    let entry = (at: seconds + max(delay, 0), number: planned, what: what)
    var low = 0
    var high = agenda.count
    while low < high {
      let middle = (low + high) / 2
      if agenda[middle].at > entry.at { low = middle + 1 } else { high = middle }
    }
    // The next one is last. Of two at the same time the one that was planned first comes first.
    agenda.insert(entry, at: low)
  }

  func say(_ what: @autoclosure () -> String) { transcript.append("\(Int(seconds)) s: \(what())") }

  /// Until the job has ended and the cloud has come to rest.
  func run() throws {
    start()
    if let delay = weather.cancelsAfterSeconds { planCancel(after: delay) }
    while let entry = agenda.popLast() {
      seconds = max(seconds, entry.at)
      steps += 1
      try entry.what()
      try checkAlways()
      if random.chance(weather.jumpsOfClock) { jumpClock() }
      guard steps < 50_000, seconds < 60 * 86_400 else { throw Violation("the job never ends") }
    }
    try checkAtEnd()
  }

  private func planCancel(after delay: Double) {
    plan(after: delay) { [self] in
      guard driver.job != nil else { return planCancel(after: 30) }
      truth.wasCancelled = true
      say("cancel")
      tell(.cancel)
    }
  }

  private func jumpClock() {
    clockError = random.seconds(-3600...3600)
    say("the clock is wrong by \(Int(clockError)) s")
    armWake()
  }
}

/// What really happened, for the invariants.
struct Truth {
  struct Ending {
    var attempt: Int
    var boot: String
    var status: Int
    var logRecords: Int
  }

  var wasCancelled = false
  /// Containers that came to an end and whose result was sent.
  var endings: [Ending] = []
  /// By home: the first result that the driver got before the job's end was settled, and saved.
  var stored: [Int: Int] = [:]
  /// Of templates, by name.
  var plans: [String: AttemptPlan] = [:]
  var groupsMade = 0
  var machinesMade = 0
  var callsSent: [JobCall] = []
  var requestIDs: [UUID: JobCall] = [:]
  var violation: (any Error)?
  var crashPoints = 0
  var crashes = 0
  var answeredCalls = 0
  var otherRequests = 0
}

struct Violation: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
