package import Foundation
package import GoogleCloud
internal import Synchronization

/// Google in memory, as far as a runner asks it: what is there, whom the messages are for, and what a test wants to go
/// wrong. Operations are done at once.
package final class ModelCloud: CloudTransport {
  /// What happens to a VM that was asked for.
  package enum Machine: Equatable, Sendable {
    case running
    case coming
    case stopped
    /// It cannot be made.
    case refused(code: String)
  }

  /// Instead of, or after, doing what a call asks for.
  package enum Fault: Sendable {
    case refused(status: Int, reason: String)
    /// The work is done, and its answer lost.
    case answerLost
    /// Nothing is done, and nothing answered until the caller gives up.
    case hangs
    /// The work is done, and nothing answered until the caller gives up.
    case answerHangs
    /// It is done when the gate opens.
    case waits(Gate)
  }

  struct Group {
    var name: String
    var scope: String
    var body: [String: Any]
    var machine: Machine
  }

  struct Message {
    var id: String
    var attributes: [String: String]
    var data: Data
    var isOutstanding = false
  }

  struct State: ~Copyable {
    var topics: [String: [String: Any]] = [:]
    var subscriptions: [String: [String: Any]] = [:]
    var backlog: [String: [Message]] = [:]
    var pulls: [String: [Pull]] = [:]
    var pullGates: [(count: Int, gate: Gate)] = []
    var templates: [String: [String: Any]] = [:]
    var groups: [String: Group] = [:]
    var calls: [String] = []
    var counts: [String: Int] = [:]
    var mostGroups = 0
    var number = 0
    var reached: Set<String> = []
    var reachedGates: [String: [Gate]] = [:]
  }

  struct Pull {
    var number: Int
    var continuation: CheckedContinuation<Void, Never>
  }

  let state = Mutex(State())
  /// What becomes of the VM of a new group.
  private let machines: @Sendable (_ group: String, _ scope: String) -> Machine
  /// A VM that runs: what it says is up to the test. Called outside of the model's lock.
  private let boots: @Sendable (ModelCloud, _ job: String, _ attempt: Int) -> Void
  private let faults: @Sendable (_ call: String, _ count: Int) -> Fault?

  package init(
    machines: @escaping @Sendable (String, String) -> Machine = { _, _ in .running },
    faults: @escaping @Sendable (String, Int) -> Fault? = { _, _ in nil },
    boots: @escaping @Sendable (ModelCloud, String, Int) -> Void = { _, _, _ in }
  ) {
    self.machines = machines
    self.faults = faults
    self.boots = boots
  }

  // MARK: What tests ask

  /// Everything that is there, by kind and name.
  package var inventory: [String] {
    state.withLock { state in
      let topics = state.topics.keys.map { "topic \($0)" }
      let subscriptions = state.subscriptions.keys.map { "subscription \($0)" }
      let templates = state.templates.keys.map { "template \($0)" }
      let groups = state.groups.keys.map { "group \($0)" }
      return (topics + subscriptions + templates + groups).sorted()
    }
  }

  /// Each call but pulls, acknowledgements and what is read for the ledger, in order: `insert group train-1`.
  package var calls: [String] { state.withLock { $0.calls } }
  /// Groups that were there at one time.
  package var mostGroups: Int { state.withLock { $0.mostGroups } }
  package var openPulls: Int { state.withLock { $0.pulls.values.reduce(0) { $0 + $1.count } } }
  package func unacknowledged(_ job: String) -> Int { state.withLock { $0.backlog[job]?.count ?? 0 } }

  /// Waits until the call is done, or hangs.
  package func reached(_ call: String) async {
    let gate = Gate()
    state.withLock { state in
      if state.reached.contains(call) { gate.open() } else { state.reachedGates[call, default: []].append(gate) }
    }
    await gate.wait()
  }

  /// Waits until so many pulls are held at one time.
  package func reachedPulls(_ count: Int) async {
    let gate = Gate()
    state.withLock { $0.pullGates.append((count, gate)) }
    openPullGates()
    await gate.wait()
  }

  private func openPullGates() {
    let open = state.withLock { state in
      let held = state.pulls.values.reduce(0) { $0 + $1.count }
      defer { state.pullGates.removeAll { $0.count <= held } }
      return state.pullGates.filter { $0.count <= held }.map(\.gate)
    }
    for gate in open { gate.open() }
  }

  // MARK: What VMs do

  package func publish(
    _ job: String, attempt: Int, kind: String, boot: String = "boot", sequence: Int = 0, data: Data = Data(),
    also attributes: [String: String] = [:]
  ) {
    let all = [
      "dagrun": "1", "job": job, "attempt": "\(attempt)", "boot": boot, "kind": kind, "sequence": "\(sequence)",
    ].merging(attributes) { $1 }
    let waiting = state.withLock { state in
      state.number += 1
      guard state.subscriptions[job] != nil else { return [Pull]() }
      state.backlog[job, default: []].append(Message(id: "ack-\(state.number)", attributes: all, data: data))
      return state.pulls.removeValue(forKey: job) ?? []
    }
    for pull in waiting { pull.continuation.resume() }
  }

  package func start(_ job: String, attempt: Int, boot: String = "boot") {
    publish(
      job, attempt: attempt, kind: "started", boot: boot,
      data: Data(#"{"startedAt":\#(Date().timeIntervalSince1970)}"#.utf8))
  }

  package func log(_ job: String, attempt: Int, _ text: String, offset: Int, boot: String = "boot") {
    publish(
      job, attempt: attempt, kind: "log", boot: boot, sequence: 1, data: Data(text.utf8), also: ["offset": "\(offset)"])
  }

  /// - Parameter log: the whole of it.
  package func finish(
    _ job: String, attempt: Int, status: Int = 0, log: String = "", output: String? = nil, boot: String = "boot"
  ) {
    let now = Date().timeIntervalSince1970
    let output = output.map { "\"\(Data($0.utf8).base64EncodedString())\"" } ?? "null"
    publish(
      job, attempt: attempt, kind: "result", boot: boot, sequence: 9,
      data: Data(
        """
        {"status":\(status),"infrastructure":null,"startedAt":\(now - 1),"endedAt":\(now),"logBytes":\(log.utf8.count),
        "logTail":"\(Data(log.utf8).base64EncodedString())","output":\(output)}
        """.utf8))
  }

  package func setMachine(_ group: String, _ machine: Machine) {
    state.withLock { $0.groups[group]?.machine = machine }
  }

  /// As the removal by another home does, with all messages.
  package func removeSubscription(_ job: String) {
    let waiting = state.withLock { state in
      state.subscriptions[job] = nil
      state.backlog[job] = nil
      return state.pulls.removeValue(forKey: job) ?? []
    }
    for pull in waiting { pull.continuation.resume() }
  }

  package func removeGroup(_ name: String) { state.withLock { $0.groups[name] = nil } }

  /// As when ack deadlines pass: what was delivered and not acknowledged comes again.
  package func redeliver() {
    let waiting = state.withLock { state in
      for job in state.backlog.keys {
        for index in state.backlog[job]!.indices {
          state.number += 1
          state.backlog[job]![index].isOutstanding = false
          state.backlog[job]![index].id = "ack-\(state.number)"
        }
      }
      let all = state.pulls.values.flatMap { $0 }
      state.pulls = [:]
      return all
    }
    for pull in waiting { pull.continuation.resume() }
  }

  // MARK: CloudTransport

  package func call(_ request: CloudRequest) async throws(CloudError) -> CloudResponse {
    if request.path.hasSuffix(":pull") { return try await pull(request) }
    let name = Self.words(request)
    let count = state.withLock { state in
      if !request.path.hasSuffix(":acknowledge"), !Self.isForLedger(request) { state.calls.append(name) }
      state.counts[name, default: 0] += 1
      return state.counts[name]!
    }
    let fault = faults(name, count)
    switch fault {
    case .refused(let status, let reason):
      throw CloudError(answer: Self.refusal(status, reason), to: request)
    case .hangs:
      reach(name)
      try await Self.hang(request)
    case .waits(let gate):
      reach(name)
      await gate.wait()
    case .answerLost, .answerHangs, nil: break
    }
    let (response, booted) = state.withLock { answer(request, &$0) }
    if let (job, attempt) = booted { boots(self, job, attempt) }
    reach(name)
    switch fault {
    case .answerLost:
      throw CloudError(.network, operation: request.operation, subject: request.subject, message: "connection lost")
    case .answerHangs: try await Self.hang(request)
    case .refused, .hangs, .waits, nil: break
    }
    guard (200..<300).contains(response.status) else { throw CloudError(answer: response, to: request) }
    return response
  }

  /// Which VMs there are and were: this model knows none.
  private static func isForLedger(_ request: CloudRequest) -> Bool {
    ["list instances of", "list operations of"].contains(request.operation)
  }

  private static func hang(_ request: CloudRequest) async throws(CloudError) {
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
    throw CloudError(.cancelled, operation: request.operation, subject: request.subject, message: "cancelled")
  }

  private func reach(_ call: String) {
    let met = state.withLock { state in
      state.reached.insert(call)
      return state.reachedGates.removeValue(forKey: call) ?? []
    }
    for gate in met { gate.open() }
  }

  private func pull(_ request: CloudRequest) async throws(CloudError) -> CloudResponse {
    let job = request.subject
    if case .refused(let status, let reason) = faults("pull \(job)", 1) {
      throw CloudError(answer: Self.refusal(status, reason), to: request)
    }
    while !Task.isCancelled {
      let messages: [Message]? = state.withLock { state in
        guard state.subscriptions[job] != nil else { return nil }
        var taken: [Message] = []
        for index in (state.backlog[job] ?? []).indices where !state.backlog[job]![index].isOutstanding {
          state.backlog[job]![index].isOutstanding = true
          taken.append(state.backlog[job]![index])
        }
        return taken
      }
      guard let messages else { throw CloudError(answer: Self.refusal(404, "notFound"), to: request) }
      if !messages.isEmpty {
        return Self.response([
          "receivedMessages": messages.map { message in
            [
              "ackId": message.id,
              "message": ["data": message.data.base64EncodedString(), "attributes": message.attributes],
            ]
          }
        ])
      }
      await wait(job)
    }
    throw CloudError(.cancelled, operation: request.operation, subject: request.subject, message: "cancelled")
  }

  private func wait(_ job: String) async {
    let number = state.withLock { state in
      state.number += 1
      return state.number
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          if Task.isCancelled || state.backlog[job]?.contains(where: { !$0.isOutstanding }) == true { return true }
          state.pulls[job, default: []].append(Pull(number: number, continuation: continuation))
          return false
        }
        if isReady { continuation.resume() } else { openPullGates() }
      }
    } onCancel: {
      let pull = state.withLock { state in
        state.pulls[job]?.firstIndex { $0.number == number }.map { state.pulls[job]!.remove(at: $0) }
      }
      pull?.continuation.resume()
    }
  }

  // MARK: Answers

  private func answer(
    _ request: CloudRequest, _ state: inout sending State
  ) -> (CloudResponse, booted: (String, Int)?) {
    let parts = request.path.split(separator: "/").map(String.init)
    let body = request.body.flatMap { try? JSONSerialization.jsonObject(with: $0) as? [String: Any] } ?? [:]
    switch request.service {
    case .pubSub: return (pubSub(request, parts, body, &state), nil)
    case .compute: return compute(request, parts, body, &state)
    case .storage, .storageUpload, .secretManager: return (Self.refusal(404, "notFound"), nil)
    }
  }

  /// `projects/P/topics/T`.
  private func pubSub(
    _ request: CloudRequest, _ parts: [String], _ body: [String: Any], _ state: inout State
  ) -> CloudResponse {
    let isTopic = parts[2] == "topics"
    guard parts.count > 3 else {
      let items = isTopic ? state.topics : state.subscriptions
      return Self.response([parts[2]: items.keys.sorted().map { items[$0]! }])
    }
    let id = parts[3].split(separator: ":").first.map(String.init) ?? parts[3]
    let known = isTopic ? state.topics[id] : state.subscriptions[id]
    switch request.method {
    case .put:
      guard known == nil else { return Self.refusal(409, "ALREADY_EXISTS") }
      var item = body
      item["name"] = request.path
      if isTopic { state.topics[id] = item } else { state.subscriptions[id] = item }
      return Self.response(item)
    case .get: return known.map(Self.response) ?? Self.refusal(404, "NOT_FOUND")
    case .delete:
      guard known != nil else { return Self.refusal(404, "NOT_FOUND") }
      if isTopic {
        state.topics[id] = nil
      } else {
        state.subscriptions[id] = nil
        state.backlog[id] = nil
      }
      return Self.response([:])
    case .post:
      let ids = Set(body["ackIds"] as? [String] ?? [])
      state.backlog[id]?.removeAll { ids.contains($0.id) }
      return Self.response([:])
    }
  }

  private func compute(
    _ request: CloudRequest, _ parts: [String], _ body: [String: Any], _ state: inout State
  ) -> (CloudResponse, booted: (String, Int)?) {
    if Self.isForLedger(request) { return (Self.response([:]), nil) }
    if parts.contains("images") { return (Self.response(["name": "cos-125", "family": "cos-stable"]), nil) }
    if parts.contains("aggregated") {
      let groups = parts.last == "instanceGroupManagers" ? state.groups.values.sorted { $0.name < $1.name } : []
      let items = Dictionary(grouping: groups, by: \.scope).mapValues { ["instanceGroupManagers": $0.map(\.body)] }
      return (Self.response(["items": items]), nil)
    }
    if parts.contains("instanceTemplates") { return (templates(request, parts.last!, body, &state), nil) }
    let scope = "\(parts[2])/\(parts[3])"
    if parts.last == "listManagedInstances" { return (managedInstances(parts[5], &state), nil) }
    if parts.last == "listErrors" { return (Self.response([:]), nil) }
    switch request.method {
    case .post:
      let name = body["name"] as! String
      guard state.groups[name] == nil else { return (Self.refusal(409, "alreadyExists"), nil) }
      var item = body
      item[parts[2] == "zones" ? "zone" : "region"] = scope
      let machine = machines(name, scope)
      state.groups[name] = Group(name: name, scope: scope, body: item, machine: machine)
      state.mostGroups = max(state.mostGroups, state.groups.count)
      let dash = name.lastIndex(of: "-")!
      let booted = (String(name[..<dash]), Int(name[name.index(after: dash)...])!)
      return (Self.operation(name), machine == .running ? booted : nil)
    case .delete:
      guard state.groups.removeValue(forKey: parts.last!) != nil else { return (Self.refusal(404, "notFound"), nil) }
      return (Self.operation(parts.last!), nil)
    case .get, .put:
      return (state.groups[parts.last!].map { Self.response($0.body) } ?? Self.refusal(404, "notFound"), nil)
    }
  }

  private func templates(
    _ request: CloudRequest, _ name: String, _ body: [String: Any], _ state: inout State
  ) -> CloudResponse {
    switch request.method {
    case .post:
      let name = body["name"] as! String
      guard state.templates[name] == nil else { return Self.refusal(409, "alreadyExists") }
      state.templates[name] = body
      return Self.operation(name)
    case .delete:
      guard state.templates[name] != nil else { return Self.refusal(404, "notFound") }
      guard state.groups[name] == nil else { return Self.refusal(400, "resourceInUseByAnotherResource") }
      state.templates[name] = nil
      return Self.operation(name)
    case .get, .put:
      if name == "instanceTemplates" {
        return Self.response(["items": state.templates.keys.sorted().map { state.templates[$0]! }])
      }
      return state.templates[name].map(Self.response) ?? Self.refusal(404, "notFound")
    }
  }

  private func managedInstances(_ name: String, _ state: inout State) -> CloudResponse {
    guard let group = state.groups[name] else { return Self.refusal(404, "notFound") }
    let zone = group.scope.hasPrefix("zones/") ? group.scope : group.scope.replacing("regions/", with: "zones/") + "-c"
    var instance: [String: Any] = ["instance": "projects/p/\(zone)/instances/\(name)-abcd", "currentAction": "NONE"]
    switch group.machine {
    case .running: instance["instanceStatus"] = "RUNNING"
    case .stopped: instance["instanceStatus"] = "TERMINATED"
    case .coming: instance["currentAction"] = "CREATING"
    case .refused(let code):
      instance["currentAction"] = "CREATING"
      instance["lastAttempt"] = ["errors": ["errors": [["code": code, "message": "refused by the test: \(code)"]]]]
    }
    return Self.response(["managedInstances": [instance]])
  }

  private static func operation(_ name: String) -> CloudResponse {
    response(["name": "operation-\(name)", "status": "DONE"])
  }

  private static func response(_ json: [String: Any]) -> CloudResponse {
    CloudResponse(status: 200, body: try! JSONSerialization.data(withJSONObject: json))
  }

  private static func refusal(_ status: Int, _ reason: String) -> CloudResponse {
    CloudResponse(
      status: status,
      body: Data(
        #"{"error":{"code":\#(status),"message":"refused by the test: \#(reason)","status":"\#(reason)","errors":[{"reason":"\#(reason)"}]}}"#
          .utf8))
  }

  /// `insert group train-1`, `create topic train`, …
  static func words(_ request: CloudRequest) -> String {
    "\(request.operation) \(request.subject)".replacing("instance ", with: "")
  }
}
