internal import Foundation

extension ComputeModel {
  /// The answer to a repeat of a request: the first one's operation, whatever has become of it.
  func repeated(_ request: Mutation, what: String) throws(APIFailure) -> Reply? {
    guard let text = request.call.query("requestId") else { return nil }
    guard let id = UUID(uuidString: text), id != UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)) else {
      throw .invalid("requestId", text, "Must be a UUID that is not zero.")
    }
    guard let known = requestIDs["\(request.project)/\(id.uuidString)"] else { return nil }
    guard known.what == what else {
      throw .invalid("requestId", text, "It was given to another request: \(known.what).")
    }
    // Forgotten together with the operation, after which a repeat is a new request.
    return operations[known.operation].map { .now(.json(json(of: $0))) }
  }

  /// - Parameter what: method and target, by which a repeat is known.
  mutating func begin(
    _ request: Mutation, type: String, target: String, targetID: UInt64, what: String, work: ComputeOperation.Work
  ) -> Reply {
    let operation = makeOperation(
      project: request.project, scope: request.scope, type: type, target: target, targetID: targetID, work: work,
      at: request.now, error: request.error)
    if let id = request.call.query("requestId").flatMap(UUID.init(uuidString:)) {
      let key = "\(request.project)/\(id.uuidString)"
      requestIDs[key] = (what, operation.path)
      operations[operation.path]?.requestKey = key
    }
    agenda.add(.run(operation.path), at: request.now.addingTimeInterval(timing.pendingSeconds))
    return .now(.json(json(of: operation)))
  }

  /// What the cloud does by itself shows as an operation too: `compute.instances.preempted`.
  mutating func record(_ type: String, of instance: Instance, error: ComputeError? = nil, at now: Date) {
    finish(beginOperation(type, on: instance, error: error, at: now), at: now)
  }

  /// What a group does to a VM of its own: whoever calls this finishes it.
  mutating func beginOperation(
    _ type: String, on instance: Instance, error: ComputeError? = nil, at now: Date
  ) -> String {
    let operation = makeOperation(
      project: instance.project, scope: .zone(instance.zone), type: type, target: instance.path,
      targetID: instance.id, work: .nothing, at: now, error: error)
    operations[operation.path]?.startTime = now
    operations[operation.path]?.status = .running
    return operation.path
  }

  /// A VM that could not be made leaves an operation, and nothing else.
  mutating func recordFailedInsertion(of fault: GroupError, project: String, zone: String, at now: Date) {
    let operation = makeOperation(
      project: project, scope: .zone(zone), type: "insert", target: fault.instance, targetID: makeID(), work: .nothing,
      at: now, error: fault.error)
    finish(operation.path, at: now)
  }

  private mutating func makeOperation(
    project: String, scope: ComputeScope, type: String, target: String, targetID: UInt64, work: ComputeOperation.Work,
    at now: Date, error: ComputeError?
  ) -> ComputeOperation {
    let id = makeID()
    let operation = ComputeOperation(
      project: project, scope: scope,
      name: "operation-\(Int(now.timeIntervalSince1970 * 1000))-\(String(id, radix: 16))", id: id, type: type,
      target: target, targetID: targetID, insertTime: now, work: work, error: error)
    operations[operation.path] = operation
    everMade["operations", default: 0] += 1
    return operation
  }

  mutating func run(_ path: String, at now: Date) {
    operations[path]?.status = .running
    operations[path]?.startTime = now
    agenda.add(.finish(path), at: now.addingTimeInterval(timing.runningSeconds))
  }

  /// Does what it was made for.
  mutating func perform(_ path: String, at now: Date) {
    guard let operation = operations[path], operation.status == .running else { return }
    if operation.error != nil {
      reserved.remove(operation.target)
      return finish(path, at: now)
    }
    switch operation.work {
    case .nothing: finish(path, at: now)
    case .insertTemplate(let name, let template):
      reserved.remove(name)
      templates[name] = template
      everMade["instanceTemplates", default: 0] += 1
      finish(path, at: now)
    case .deleteTemplate(let name):
      if let user = user(ofTemplate: name) {
        operations[path]?.error = ComputeError(
          code: "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", message: Self.inUse(template: name, by: user))
      } else {
        templates[name] = nil
      }
      finish(path, at: now)
    case .insertGroup(let group):
      reserved.remove(group.path)
      groups[group.path] = group
      everMade["instanceGroupManagers", default: 0] += 1
      fill(group.path, at: now)
      finish(path, at: now)
    case .deleteGroup(let name): empty(name, for: path, at: now)
    case .resizeGroup(let name, let size):
      groups[name]?.targetSize = size
      fill(name, at: now)
      finish(path, at: now)
    case .deleteGroupInstances(let name, let members):
      let present = groups[name]?.members ?? [:]
      groups[name]?.targetSize -= members.count { present[$0] != nil }
      for member in members { remove(member, from: name, at: now) }
      finish(path, at: now)
    case .deleteInstance(let name): end(name, .deleted, for: path, at: now)
    case .stopInstance(let name): end(name, .stopped, for: path, at: now)
    }
  }

  /// It is DONE; whoever waits for it is answered.
  mutating func finish(_ path: String, at now: Date) {
    guard var operation = operations[path], operation.status != .done else { return }
    operation.status = .done
    operation.endTime = now
    operation.work = .nothing
    operations[path] = operation
    agenda.add(.forget(path), at: now.addingTimeInterval(timing.operationLifetimeSeconds))
    for request in waiters.removeValue(forKey: path) ?? [] {
      waiting[request] = nil
      emit(.answer(request, .json(json(of: operation))))
    }
  }

  mutating func forget(_ path: String) {
    guard let operation = operations.removeValue(forKey: path) else { return }
    if let key = operation.requestKey { requestIDs[key] = nil }
  }

  // MARK: Waiting

  mutating func wait(_ request: Mutation) throws(APIFailure) -> Reply {
    let path = "\(request.prefix)/operations/\(request.call["name"])"
    guard let operation = operations[path] else { throw .notFound(path) }
    if operation.status == .done { return .now(.json(json(of: operation))) }
    waiters[path, default: []].append(request.call.id)
    waiting[request.call.id] = path
    agenda.add(.waitEnds(request.call.id), at: request.now.addingTimeInterval(timing.operationWaitSeconds))
    return .held
  }

  /// Answered as it stands: the caller waits again.
  mutating func waitEnds(_ request: RequestID) {
    guard let path = waiting[request], let operation = operations[path] else { return }
    abandon(request)
    emit(.answer(request, .json(json(of: operation))))
  }

  /// Whoever waited is gone.
  mutating func abandon(_ request: RequestID) {
    guard let path = waiting.removeValue(forKey: request) else { return }
    waiters[path]?.removeAll { $0 == request }
    if waiters[path]?.isEmpty == true { waiters[path] = nil }
  }
}
