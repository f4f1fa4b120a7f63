import Dagrun
import Foundation
import GoogleCloud
import Model

@testable import Clash

/// The driver's duties, as `JobAction` tells them, with a journal that survives it.
struct SimulatedDriver {
  /// nil while it is dead.
  var job: Job?
  var journal: JobRecord?
  var logFile: [UInt8] = []
  /// 0 has begun the job, 1 finds it by its name.
  var home = 0
  /// What homes that are not at work have on their disks.
  var others: [Int: (journal: JobRecord?, logFile: [UInt8])] = [:]
  /// By home.
  var outcomes: [Int: JobOutcome] = [:]
  /// Of its lives: what was sent in an earlier one is answered to nobody.
  var life = 0
  var inFlight: [Int: CallRequest] = [:]
  var calls = 0
  var pull = 0
  var isPulling = false
  var wake = 0
  var wakesInPlace = 0
  var lastWakeAt = -1.0
  /// No event comes in between an event and the end of its actions.
  var inbox: [JobEvent] = []
  var isBusy = false

  mutating func moveTo(_ other: Int) {
    others[home] = (journal, logFile)
    (journal, logFile) = others[other] ?? (nil, [])
    home = other
  }
}

struct Crash: Error {}

extension JobWorld {
  func start() {
    driver.life += 1
    if driver.home == 0, driver.journal != nil, random.chance(weather.otherHomes), found() != nil { driver.moveTo(1) }
    // Died before it had kept anything, and now there is nothing to be found any more.
    if driver.home == 1, driver.journal == nil, found() == nil { driver.moveTo(0) }
    var job: Job
    var isOver = false
    if let stored = driver.journal {
      job = try! Job(restoring: stored)
      driver.logFile = Array(driver.logFile.prefix(job.logLength))
      isOver = job.mustLookForSubscription && cloud.subscriptions[request.name] == nil
    } else {
      (job, isOver) = (driver.home == 1 ? found() : nil) ?? (Job(request, at: driverNow), false)
      driver.logFile = []
    }
    let actions = job.resume(at: driverNow, isOverElsewhere: isOver)
    say("driver \(driver.life) begins in home \(driver.home): \(job.phaseName)\(isOver ? ", over" : "")")
    perform { try self.carryOut(actions, of: job) }
  }

  /// What another home finds by the job's name, as `JobCloud.find` does.
  private func found() -> (Job, isOver: Bool)? {
    let plans = cloud.templates.filter(\.value).keys.compactMap { truth.plans[$0] }
    guard var plan = plans.max(by: { $0.number < $1.number }) else { return nil }
    if cloud.groups[plan.resourceName(job: request.name)]?.isOurs != true {
      plan.candidate.place = Ladder(request.spec.config).candidates[0].place
    }
    return (Job(attachingTo: request, plan: plan, at: driverNow), cloud.subscriptions[request.name]?.isOurs != true)
  }

  /// A home that was thought dead is back, once the other one is done.
  private func handBack() {
    guard let job = driver.job, let outcome = job.outcome, driver.outcomes[driver.home] == nil else { return }
    driver.outcomes[driver.home] = outcome
    guard driver.home == 1 else { return }
    say("home 1 is done: \(job.phaseName)")
    driver.job = nil
    driver.life += 1
    driver.wake += 1
    driver.moveTo(0)
    plan(after: random.seconds(1...4000)) { [self] in start() }
  }

  func tell(_ event: JobEvent) {
    guard driver.job != nil else { return }
    driver.inbox.append(event)
    while !driver.isBusy, !driver.inbox.isEmpty, var job = driver.job {
      let event = driver.inbox.removeFirst()
      let expected = statusIfStored(event, job)
      let actions = job.handle(event, at: driverNow)
      perform {
        try self.carryOut(actions, of: job)
      } saved: {
        if let expected { self.truth.stored[self.driver.home] = self.truth.stored[self.driver.home] ?? expected }
      }
    }
  }

  private func perform(_ body: () throws -> Void, saved: () -> Void = {}) {
    let before = driver.journal
    driver.isBusy = true
    do {
      try body()
    } catch is Crash {
      crash()
    } catch {
      truth.violation = truth.violation ?? error
    }
    driver.isBusy = false
    if driver.journal != before { saved() }
    handBack()
    guard driver.job != nil else { return }
    armWake()
    armPull()
  }

  private func carryOut(_ actions: [JobAction], of job: Job) throws {
    for case .writeLog(let bytes, let place) in actions {
      try maybeCrash()
      driver.logFile = Array(driver.logFile.prefix(place)) + bytes
    }
    try maybeCrash()
    if driver.journal == nil || job != driver.job { driver.journal = try! job.record() }
    driver.job = job
    try maybeCrash()
    for action in actions {
      switch action {
      case .writeLog, .tell: continue
      case .call(let request): try send(request)
      case .inspect(let plan, _):
        truth.otherRequests += 1
        let life = driver.life
        self.plan(after: random.seconds(0.1...2)) { [self] in
          guard driver.life == life else { return }
          let lost = random.chance(weather.lostRequests)
          let fault = error(.unavailable, .makeGroup(plan), status: 503)
          tell(lost ? .inspectionFailed(plan, fault) : look(at: plan))
        }
      case .acknowledge(let ids):
        truth.otherRequests += 1
        let settled = Set(ids.map { $0.split(separator: "/")[0] })
        guard !random.chance(weather.lostRequests) else { continue }
        cloud.subscriptions[request.name]?.messages.removeAll { settled.contains("\($0.id)"[...]) }
      }
      try maybeCrash()
    }
  }

  // MARK: Calls

  private func send(_ request: CallRequest) throws {
    try checkCall(request)
    say("\(request.call.verb) \(request.call.resource.plan?.number ?? 0)")
    truth.callsSent.append(request.call)
    driver.calls += 1
    let number = driver.calls
    driver.inFlight[number] = request
    let life = driver.life
    if number == weather.cancelsAtCall {
      plan(after: 0) { [self] in
        guard driver.life == life else { return }
        truth.wasCancelled = true
        say("cancel")
        tell(.cancel)
      }
    }
    plan(after: random.seconds(0.01...2)) { [self] in
      guard let request = driver.inFlight.removeValue(forKey: number) else { return }
      let (answer, delay) = try arrive(request)
      plan(after: delay) { [self] in
        guard driver.life == life else { return }
        if case .done = answer { truth.answeredCalls += 1 }
        tell(answer)
      }
    }
  }

  // MARK: Death

  private func maybeCrash() throws {
    truth.crashPoints += 1
    guard random.chance(weather.crashes) || weather.crashesAt.contains(truth.crashPoints - 1) else { return }
    throw Crash()
  }

  private func crash() {
    say("the driver dies")
    truth.crashes += 1
    driver.job = nil
    driver.life += 1
    driver.inbox = []
    driver.isPulling = false
    driver.pull += 1
    driver.wake += 1
    // What was on the wire has arrived, or never will.
    let onTheWire = driver.inFlight.sorted { $0.key < $1.key }.map(\.value)
    driver.inFlight = [:]
    plan(after: 0) { [self] in
      for request in onTheWire where random.chance(50) { _ = try arrive(request) }
    }
    plan(after: random.pick([0.1, random.seconds(1...60), random.seconds(60...4000)])) { [self] in start() }
  }

  // MARK: Time and messages

  func armWake() {
    driver.wake += 1
    let wake = driver.wake
    guard let moment = driver.job?.nextWake else { return }
    plan(after: moment.seconds(since: driverNow)) { [self] in
      guard driver.wake == wake, driver.job != nil else { return }
      driver.wakesInPlace = driver.lastWakeAt == seconds ? driver.wakesInPlace + 1 : 0
      driver.lastWakeAt = seconds
      guard driver.wakesInPlace < 5 else { throw Violation("the job asks to be woken again and again") }
      tell(.wake)
    }
  }

  func armPull() {
    guard driver.job?.isListening == true else {
      driver.isPulling = false
      driver.pull += 1
      return
    }
    guard !driver.isPulling else { return }
    driver.isPulling = true
    driver.pull += 1
    let pull = driver.pull
    plan(after: random.seconds(0.01...1)) { [self] in try answerPull() }
    plan(after: 90) { [self] in
      guard driver.isPulling, driver.pull == pull else { return }
      driver.isPulling = false
      tell(.received([]))
    }
  }

  func answerPull() throws {
    guard driver.isPulling, driver.job != nil else { return }
    guard cloud.subscriptions[request.name]?.isOurs == true else {
      guard !driver.others.isEmpty else { throw Violation("a pull without a subscription") }
      driver.isPulling = false
      return tell(.listeningFailed(error(.notFound, .makeSubscription, status: 404)))
    }
    guard let messages = takeMessages() else { return }
    driver.isPulling = false
    if random.chance(weather.lostPulls) {
      say("a pull is lost")
      return tell(.pullLost)
    }
    tell(.received(messages))
  }

  /// What a result in `event` says, if it is to count from now on.
  private func statusIfStored(_ event: JobEvent, _ job: Job) -> Int? {
    guard case .received(let messages) = event else { return nil }
    switch job.phase {
    case .preparing, .attempting, .pausing: break
    case .removing, .finished: return nil
    }
    for message in messages {
      if case .result(let result)? = MachineMessage(message, of: request)?.content { return result.status }
    }
    return nil
  }
}
