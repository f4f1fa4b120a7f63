internal import Foundation

extension ComputeModel {
  mutating func deleteInstance(_ request: Mutation) throws(APIFailure) -> Reply {
    let path = "\(request.prefix)/instances/\(request.call["name"])"
    if let reply = try repeated(request, what: "delete \(path)") { return reply }
    guard let instance = instances[path] else { throw .notFound(path) }
    return begin(
      request, type: "delete", target: path, targetID: instance.id, what: "delete \(path)",
      work: .deleteInstance(path))
  }

  mutating func stopInstance(_ request: Mutation) throws(APIFailure) -> Reply {
    let path = "\(request.prefix)/instances/\(request.call["name"])"
    if let reply = try repeated(request, what: "stop \(path)") { return reply }
    guard let instance = instances[path] else { throw .notFound(path) }
    return begin(
      request, type: "stop", target: path, targetID: instance.id, what: "stop \(path)", work: .stopInstance(path))
  }

  // MARK: Life

  mutating func move(_ id: UInt64, from: Instance.Status, to: Instance.Status) {
    guard let path = instancePaths[id], instances[path]?.status == from else { return }
    instances[path]?.status = to
  }

  mutating func start(_ id: UInt64, at now: Date) {
    guard let path = instancePaths[id], var instance = instances[path], instance.status == .staging else { return }
    instance.status = .running
    instance.startedAt = now
    let insertion = instance.insertion
    instance.insertion = nil
    instances[path] = instance
    bills.began(instance, at: now)
    if let insertion { finish(insertion, at: now) }
    if let place = groups[instance.group]?.members[instance.name], place.instance == id, place.phase != .deleting {
      groups[instance.group]?.members[instance.name]?.phase = .settled
      groups[instance.group]?.members[instance.name]?.lastError = nil
    }
    if let limit = instance.maxRunSeconds { agenda.add(.outlive(id), at: now.addingTimeInterval(limit)) }
    if let seconds = faults.ofPreemption(of: instance) { agenda.add(.preempt(id), at: now.addingTimeInterval(seconds)) }
    switch faults.ofBoot(of: instance) {
    case nil: boot(id)
    case .slow(let seconds)?: agenda.add(.boot(id), at: now.addingTimeInterval(seconds))
    case .hangs?: break
    case .fails?: ended(id, at: now)
    case .cutOff?: boot(id, isCutOff: true)
    }
  }

  mutating func boot(_ id: UInt64, isCutOff: Bool = false) {
    guard let path = instancePaths[id], let instance = instances[path], instance.status == .running else { return }
    instances[path]?.hasMachine = true
    let account = instance.properties["serviceAccounts"].elements.first ?? [:]
    let email = account["email"].text ?? "default"
    let number = ComputeNames.projectNumber(instance.project)
    var machine = VirtualMachineDescription(
      project: instance.project, zone: instance.zone, name: instance.name, id: id, machineType: instance.machineType,
      isSpot: instance.isSpot, metadata: instance.metadata,
      serviceAccount: email == "default" ? "\(number)-compute@developer.gserviceaccount.com" : email,
      scopes: account["scopes"].elements.compactMap(\.text), folder: "\(machineFolder)/\(instance.name)-\(id)")
    machine.projectNumber = number
    machine.isCutOff = isCutOff
    emit(.machine(.boot(machine)))
  }

  /// Stops it as somebody has asked; `operation` is done when it has ended.
  mutating func end(_ path: String, _ ending: Instance.Ending, for operation: String?, at now: Date) {
    guard let instance = instances[path] else {
      if let operation { finish(operation, at: now) }
      return
    }
    if let operation { instances[path]?.awaiting.append(operation) }
    switch instance.status {
    case .provisioning, .staging:
      instances[path]?.ending = ending
      ended(instance.id, at: now)
    case .running:
      instances[path]?.ending = ending
      instances[path]?.status = .stopping
      powerDown(instance, at: now)
    case .stopping:
      // A deletion outranks whatever else ends it.
      if ending == .deleted { instances[path]?.ending = ending }
    case .terminated:
      if ending == .deleted { instances[path]?.ending = ending }
      ended(instance.id, at: now)
    }
  }

  private mutating func powerDown(_ instance: Instance, at now: Date) {
    if instance.hasMachine {
      emit(.machine(.shutDown(instance.id, graceSeconds: timing.shutDownGraceSeconds)))
    } else {
      ended(instance.id, at: now)
    }
  }

  /// Notice, grace, end.
  ///
  /// - Returns: false where there is no such RUNNING instance.
  mutating func preempt(_ id: UInt64, graceSeconds: Double?, at now: Date) -> Bool {
    guard let path = instancePaths[id], let instance = instances[path], instance.status == .running else {
      return false
    }
    instances[path]?.ending = .preempted
    instances[path]?.status = .stopping
    record("compute.instances.preempted", of: instance, at: now)
    let grace = graceSeconds ?? timing.preemptionGraceSeconds
    if instance.hasMachine {
      emit(.machine(.preempt(id, graceSeconds: grace)))
    } else {
      agenda.add(.powerOff(id), at: now.addingTimeInterval(grace))
    }
    return true
  }

  /// At the end of `maxRunDuration`.
  mutating func outlive(_ id: UInt64, at now: Date) {
    guard let path = instancePaths[id], let instance = instances[path], instance.status == .running else { return }
    instances[path]?.ending = .outlived
    instances[path]?.status = .stopping
    record("compute.instances.terminateOnMaxRunDuration", of: instance, at: now)
    powerDown(instance, at: now)
  }

  /// It is off, and not because anybody wanted that. One that has never been up will not be the next time either: what
  /// this machine lacks stays as it is. Its group says why, and tries no more.
  mutating func failed(_ id: UInt64, _ reason: String, at now: Date) {
    let instance = instancePaths[id].flatMap { instances[$0] }
    ended(id, at: now)
    guard let instance, !instance.hasBooted, instance.ending == nil, let group = groups[instance.group],
      let place = group.members[instance.name], place.instance == id
    else { return }
    let error = ComputeError(
      code: "CONDITION_NOT_MET", message: "The instance '\(instance.name)' cannot boot: \(reason)")
    groups[group.path]?.members[place.name]?.phase = .settled
    groups[group.path]?.members[place.name]?.lastError = error
    let entry = GroupError(instance: instance.path, action: "CREATING", error: error, time: now)
    groups[group.path]?.errors = (group.errors + [entry]).suffix(1000)
  }

  /// It is off.
  mutating func ended(_ id: UInt64, at now: Date) {
    guard let path = instancePaths[id], let instance = instances[path] else { return }
    bills.ended(id, at: now)
    if let insertion = instance.insertion { finish(insertion, at: now) }
    // By its own system.
    if instance.ending == nil, instance.status == .running {
      record("compute.instances.guestTerminate", of: instance, at: now)
    }
    let isGone: Bool
    switch instance.ending {
    case .deleted?: isGone = true
    case .preempted?, .outlived?: isGone = instance.isDeletedOnTermination
    case .stopped?, nil: isGone = false
    }
    if isGone {
      instances[path] = nil
      instancePaths[id] = nil
      emit(.machine(.forget(id)))
    } else {
      instances[path]?.status = .terminated
      instances[path]?.hasMachine = false
      instances[path]?.insertion = nil
      instances[path]?.ending = nil
      instances[path]?.awaiting = []
      if instance.status != .terminated { instances[path]?.stoppedAt = now }
    }
    if groups[instance.group]?.members[instance.name]?.phase == .deleting {
      groups[instance.group]?.members[instance.name] = nil
      finishDeletion(of: instance.group, at: now)
    } else if instance.status != .terminated || isGone {
      memberFailed(instance, isGone: isGone, at: now)
    }
    for operation in instance.awaiting { finish(operation, at: now) }
  }
}
