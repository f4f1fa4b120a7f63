internal import Foundation
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTP1
internal import NIOPosix

/// The emulated cloud behind a socket. Everything it is made of lives on one event loop: a held request costs a
/// connection and an entry in a dictionary, and nothing is locked.
final class EmulatorServer: @unchecked Sendable {
  let loop: any EventLoop
  private let machines: MachineSupervisor
  private let logger: Logger
  private let door: FrontDoor
  // Below: only on the loop.
  private var emulation: EmulatedCloud
  private var lastRequest: UInt64 = 0
  private var waiting: [RequestID: @Sendable (APIResponse?) -> Void] = [:]
  private var connections: [ObjectIdentifier: any Channel] = [:]
  private var timer: Scheduled<Void>?
  private var timerTime: Date?
  private var isStopping = false
  /// Instances that are on; called when there are none any more, while it stops.
  private var running: Set<UInt64> = []
  private var whenAllEnded: EventLoopPromise<Void>?
  /// Those who wait for a state of the cloud: each looks after everything that happens, and returns true when it is
  /// done. nil: the emulator stops.
  private var observers: [UInt64: (EmulatedCloud?) -> Bool] = [:]

  init(loop: any EventLoop, emulation: EmulatedCloud, door: FrontDoor, machines: MachineSupervisor, logger: Logger) {
    self.loop = loop
    self.emulation = emulation
    self.door = door
    self.machines = machines
    self.logger = logger
    self.emulation.compute.serialOutput = { [machines] in machines.serialOutput($0) }
  }

  /// Whether a request may come in, before its body is read.
  func judge(_ head: HTTPRequestHead) -> FrontDoor.Verdict {
    loop.preconditionInEventLoop()
    return door.judge(head) { emulation.tokens.isValid($0, at: Date()) }
  }

  /// - Parameter answer: called once, on the loop; nil: close the connection.
  /// - Returns: what to call it by when nobody waits for the answer any more.
  func receive(_ request: APIRequest, answer: @escaping @Sendable (APIResponse?) -> Void) -> RequestID {
    loop.preconditionInEventLoop()
    lastRequest += 1
    let id = RequestID(value: lastRequest)
    waiting[id] = answer
    if FrontDoor.isOwn(request.path) {
      waiting[id] = nil
      answer(EmulatorEndpoints.answer(request, &emulation, at: Date()))
      carryOut()
    } else {
      step { $0.receive(request, id, at: $1) }
    }
    return id
  }

  func abandon(_ id: RequestID) {
    loop.preconditionInEventLoop()
    guard waiting.removeValue(forKey: id) != nil else { return }
    emulation.abandon(id)
  }

  /// One thing happens to the emulated cloud; then its consequences are carried out.
  private func step(_ change: (inout EmulatedCloud, Date) -> Void) {
    let now = Date()
    emulation.advance(to: now)
    change(&emulation, now)
    carryOut()
  }

  private func carryOut() {
    for output in emulation.takeOutputs() {
      switch output {
      case .answer(let id, let response): waiting.removeValue(forKey: id)?(response)
      case .drop(let id): waiting.removeValue(forKey: id)?(nil)
      case .machine(let command):
        if case .boot(let description) = command { running.insert(description.id) }
        machines.perform(command) { id, event in
          self.loop.execute { self.machine(id, did: event) }
        }
      }
    }
    for (id, isDone) in observers where isDone(emulation) { observers[id] = nil }
    arm()
  }

  private func machine(_ id: UInt64, did event: VirtualMachineEvent) {
    if case .ended = event {
      running.remove(id)
      if running.isEmpty { whenAllEnded?.succeed() }
    }
    step { $0.machine(id, did: event, at: $1) }
  }

  /// One timer, for whatever is next.
  private func arm() {
    guard let next = emulation.nextWake, !isStopping else { return }
    if let timerTime, timerTime <= next { return }
    timer?.cancel()
    timerTime = next
    let delay = clamp(next.timeIntervalSinceNow, to: 0...1_000_000)
    timer = loop.scheduleTask(in: .nanoseconds(Int64(delay * 1e9) + 1)) { [weak self] in
      self?.timerTime = nil
      self?.step { _, _ in }
    }
  }

  // MARK: From other threads

  func ask<Answer: Sendable>(_ question: @escaping @Sendable (inout EmulatedCloud, Date) -> Answer) async -> Answer {
    await withCheckedContinuation { continuation in
      loop.execute {
        let now = Date()
        self.emulation.advance(to: now)
        let answer = question(&self.emulation, now)
        self.carryOut()
        continuation.resume(returning: answer)
      }
    }
  }

  /// Waits until there is an answer.
  ///
  /// - Returns: nil when the task is cancelled, or the emulator stops.
  func ask<Answer: Sendable>(until question: @escaping @Sendable (EmulatedCloud) -> Answer?) async -> Answer? {
    let id = loop.makePromise(of: UInt64.self)
    let answer = loop.makePromise(of: Answer?.self)
    return await withTaskCancellationHandler {
      loop.execute {
        self.lastRequest += 1
        self.emulation.advance(to: Date())
        self.observers[self.lastRequest] = { emulation in
          let found = emulation.flatMap(question)
          guard found != nil || emulation == nil else { return false }
          answer.succeed(found)
          return true
        }
        if self.isStopping { self.endObservers() }
        let request = self.lastRequest
        self.carryOut()
        id.succeed(request)
      }
      return try? await answer.futureResult.get()
    } onCancel: {
      // Behind the block above, whose promise is kept on the loop.
      id.futureResult.whenSuccess { id in
        if self.observers.removeValue(forKey: id) != nil { answer.succeed(nil) }
      }
    }
  }

  private func endObservers() {
    for isDone in observers.values { _ = isDone(nil) }
    observers = [:]
  }

  // MARK: Connections

  func opened(_ channel: any Channel) {
    if isStopping { return channel.close(promise: nil) }
    connections[ObjectIdentifier(channel)] = channel
  }

  func closed(_ channel: any Channel) { connections[ObjectIdentifier(channel)] = nil }

  /// Ends all VMs and all connections.
  func stop() async {
    let ended = loop.makePromise(of: Void.self)
    loop.execute {
      self.isStopping = true
      self.timer?.cancel()
      for channel in self.connections.values { channel.close(promise: nil) }
      self.waiting = [:]
      self.endObservers()
      self.whenAllEnded = ended
      if self.running.isEmpty { ended.succeed() }
    }
    machines.killAll()
    // A host that does not report a VM's end must not keep the emulator from ending.
    let deadline = loop.scheduleTask(in: .seconds(10)) { ended.succeed() }
    try? await ended.futureResult.get()
    deadline.cancel()
  }
}
