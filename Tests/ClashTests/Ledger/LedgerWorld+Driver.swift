import Dagrun
import Foundation
import GoogleCloud
import Model

@testable import Clash
@testable import CloudEmulator

// The client: it drives the job, sleeps, is killed, comes back, leaves a detached job alone.
extension LedgerWorld {
  private var timestamp: Timestamp { Timestamp(now) }

  private var cloud: JobCloud {
    JobCloud(
      project: "proj", transport: LedgerTransport(world: self, life: life), endpoints: Endpoints(),
      images: ImageLinks(),
      templates: AsyncSemaphore(places: 1), acknowledgeLimitSeconds: 120)
  }

  /// Until the job has ended and nothing more happens.
  func run() async throws {
    await start()
    if weather.isCancelled { planCancel(after: random.pick([random.seconds(0...60), random.seconds(0...2000)])) }
    planDeath()
    planSleep()
    var steps = 0
    while !isOver {
      steps += 1
      guard steps < 20_000, now.timeIntervalSince1970 < 1_800_000_000 + 40 * 86_400 else {
        throw Violation("the job never ends")
      }
      let wake = job?.nextWake?.date ?? .distantFuture
      if job == nil {
        if now >= comesBackAt { await comeBack() } else { _ = step(until: comesBackAt) }
      } else if now < wakesAt {
        _ = step(until: wakesAt)
      } else if cancels {
        cancels = false
        say("the client cancels")
        await tell(.cancel)
      } else if job?.isListening == true, await pull() {
        continue
      } else if wake <= now {
        await tell(.wake)
      } else if !step(until: wake) {
        throw Violation("nothing more happens: \(job?.phaseName ?? "dead")")
      }
    }
    // What the job has ended goes off; what it has left behind does not.
    let rest = now.addingTimeInterval(3600)
    while now < rest, emulation.compute.instances.values.contains(where: { $0.status != .terminated }) {
      _ = step(until: rest)
    }
  }

  func start() async {
    life += 1
    let state: Job
    var isOver = false
    if let journal {
      state = try! Job(restoring: journal)
      isOver = state.mustLookForSubscription ? await cloud.isSubscriptionGone(request) : false
    } else {
      state = Job(request, at: timestamp)
    }
    await begin(state, isOver: isOver)
  }

  private func begin(_ state: Job, isOver: Bool) async {
    say("the client begins: \(state.phaseName)")
    var state = state
    let actions = state.resume(at: timestamp, isOverElsewhere: isOver)
    await perform(actions, of: state)
  }

  private func comeBack() async {
    comesBackAt = .distantFuture
    guard weather.attachesElsewhere, firstHome == nil else { return await start() }
    life += 1
    // Another home, which knows the job's name.
    guard case .found(let request, let plan, let askedAt, let isOver) = await cloud.find(job: "job") else {
      return await start()
    }
    (firstHome, journal, attachedAt) = (journal, nil, plan.number)
    await begin(Job(attachingTo: request, plan: plan, askedAt: askedAt, at: timestamp), isOver: isOver)
  }

  private func tell(_ event: JobEvent) async {
    guard var job else { return }
    let actions = job.handle(event, at: timestamp)
    await perform(actions, of: job)
  }

  /// Saves first, then acts. A request is answered before anything else is done.
  private func perform(_ actions: [JobAction], of state: Job) async {
    journal = try! state.record()
    job = state
    let life = life
    for action in actions {
      var events: [JobEvent] = []
      switch action {
      case .call(let call): events = await cloud.events(of: call, of: request)
      case .inspect(let plan, let console):
        events = await cloud.inspect(plan, ofJob: "job", console: console, includesErrors: true)
      case .acknowledge(let ids): await cloud.acknowledge(ids, ofJob: "job")
      case .tell(.ended): isOver = true
      case .tell(.note(let text)): say(text)
      case .writeLog, .tell: break
      }
      while self.life == life, now < wakesAt { _ = step(until: wakesAt) }
      guard self.life == life else { return }
      for event in events where self.life == life { await tell(event) }
      guard self.life == life else { return }
    }
    if state.isHandedOver, job == state, deaths < Self.mostTroubles, random.chance(30) { leave() }
  }

  private func pull() async -> Bool {
    guard emulation.pubSub.subscriptions["projects/proj/subscriptions/job"] != nil else {
      let error = CloudError(.notFound, operation: "pull from", subject: "job", message: "not found")
      await tell(.listeningFailed(error))
      return true
    }
    guard hasMessages else { return false }
    let life = life
    let answer = await cloud.pull(ofJob: "job", maxMessages: 100)
    guard self.life == life, case .success(let messages) = answer, !messages.isEmpty else { return false }
    await tell(.received(messages))
    return true
  }

  private var hasMessages: Bool {
    let subscription = emulation.pubSub.subscriptions["projects/proj/subscriptions/job"]
    return subscription?.messages.values.contains { $0.lease == nil } == true
  }

  // MARK: Coming and going

  private func planCancel(after seconds: Double) {
    plan(after: seconds) { [self] in cancels = true }
  }

  /// One that never gets to anything would never end.
  private static let mostTroubles = 10

  private func pause(_ mean: Double) -> Double { -mean * log(random.seconds(0.0001...1)) }

  private func planDeath() {
    guard let mean = weather.meanSecondsBetweenDeaths, !isOver, deaths < Self.mostTroubles else { return }
    plan(after: pause(mean)) { [self] in
      deaths += 1
      if !isOver, job != nil { die(for: random.pick([1, random.seconds(1...600), random.seconds(600...20_000)])) }
      planDeath()
    }
  }

  private func die(for seconds: Double) {
    say("the client is killed")
    job = nil
    life += 1
    comesBackAt = now.addingTimeInterval(seconds)
  }

  /// A detached job needs nobody. Somebody takes its result later.
  private func leave() {
    say("the client leaves the job alone")
    deaths += 1
    die(for: random.pick([random.seconds(1...600), random.seconds(600...90_000)]))
  }

  private func planSleep() {
    guard let mean = weather.meanSecondsBetweenSleeps, !isOver, sleeps < Self.mostTroubles else { return }
    plan(after: pause(mean)) { [self] in
      sleeps += 1
      say("the client sleeps")
      wakesAt = now.addingTimeInterval(random.pick([random.seconds(1...300), random.seconds(300...30_000)]))
      planSleep()
    }
  }
}
