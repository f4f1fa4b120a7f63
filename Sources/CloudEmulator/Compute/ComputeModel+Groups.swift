internal import Foundation

extension ComputeModel {
  mutating func insertGroup(_ request: Mutation) throws(APIFailure) -> Reply {
    let body = request.call.body
    let name = body["name"].text
    let path = "\(request.prefix)/instanceGroupManagers/\(name ?? "")"
    if let reply = try repeated(request, what: "insert \(path)") { return reply }
    try Schema.compute.check(body, is: "InstanceGroupManager", ignoresUnknown: isLenient)
    try ComputeNames.check(name, field: "resource.name")
    let group = try makeGroup(request)
    guard groups[path] == nil, !reserved.contains(path) else { throw .alreadyExists(path) }
    reserved.insert(path)
    return begin(
      request, type: "insert", target: path, targetID: group.id, what: "insert \(path)", work: .insertGroup(group))
  }

  private mutating func makeGroup(_ request: Mutation) throws(APIFailure) -> InstanceGroup {
    let body = request.call.body
    let name = body["name"].text ?? ""
    guard let reference = body["instanceTemplate"].text ?? body["versions"].elements.first?["instanceTemplate"].text
    else { throw APIFailure(400, "required", "Required field 'resource.instanceTemplate' not specified") }
    let template = ComputeNames.path(reference, project: request.project)
    guard templates[template] != nil else { throw .notFound(template) }
    let baseName = body["baseInstanceName"].text ?? String(name.prefix(58))
    guard ComputeNames.isName(baseName, upTo: 58) else {
      throw .invalid(
        "resource.baseInstanceName", baseName, "Must be a match of regex '[a-z](?:[-a-z0-9]{0,56}[a-z0-9])?'")
    }
    guard let size = body["targetSize"].whole else {
      throw APIFailure(400, "required", "Required field 'resource.targetSize' not specified")
    }
    guard (0...4000).contains(size) else {
      throw .invalid("resource.targetSize", "\(size)", "Must be between 0 and 4000.")
    }
    try checkDistribution(body, scope: request.scope)
    return InstanceGroup(
      project: request.project, scope: request.scope, name: name, id: makeID(), body: body, template: template,
      baseInstanceName: baseName, targetSize: size, createdAt: request.now)
  }

  private func checkDistribution(_ body: JSON, scope: ComputeScope) throws(APIFailure) {
    let policy = body["distributionPolicy"]
    let shape = policy["targetShape"].text ?? "EVEN"
    switch scope {
    case .region(let region):
      for zone in policy["zones"].elements {
        let name = ComputeNames.lastPart(zone["zone"].text ?? "")
        guard ComputeCatalog.zonesByRegion[region]?.contains(name) == true else {
          throw .invalid("resource.distributionPolicy.zones", name, "Zone is not in region '\(region)'.")
        }
      }
      // Google's default is to move VMs about between zones; only an even group can do that.
      if shape != "EVEN", (body["updatePolicy"]["instanceRedistributionType"].text ?? "PROACTIVE") == "PROACTIVE" {
        throw .invalid(
          "resource.updatePolicy.instanceRedistributionType", "PROACTIVE",
          "Target distribution shape \(shape) requires instance redistribution type NONE.")
      }
    case .zone:
      guard policy == .null else {
        throw .invalid("resource.distributionPolicy", shape, "Only regional groups have a distribution policy.")
      }
    case .global: break
    }
  }

  mutating func deleteGroup(_ request: Mutation) throws(APIFailure) -> Reply {
    let path = "\(request.prefix)/instanceGroupManagers/\(request.call["name"])"
    if let reply = try repeated(request, what: "delete \(path)") { return reply }
    guard let group = groups[path] else { throw .notFound(path) }
    if group.deletion != nil {
      throw APIFailure(400, "resourceNotReady", "The resource '\(path)' is not ready")
    }
    return begin(
      request, type: "delete", target: path, targetID: group.id, what: "delete \(path)", work: .deleteGroup(path))
  }

  mutating func resizeGroup(_ request: Mutation) throws(APIFailure) -> Reply {
    let path = "\(request.prefix)/instanceGroupManagers/\(request.call["name"])"
    let text = request.call.query("size") ?? ""
    if let reply = try repeated(request, what: "resize \(path) to \(text)") { return reply }
    guard let group = groups[path] else { throw .notFound(path) }
    guard let size = Int(text), (0...4000).contains(size) else {
      throw .invalid("size", text, "Must be between 0 and 4000.")
    }
    return begin(
      request, type: "compute.instanceGroupManagers.resize", target: path, targetID: group.id,
      what: "resize \(path) to \(text)", work: .resizeGroup(path, size))
  }

  mutating func deleteGroupInstances(_ request: Mutation) throws(APIFailure) -> Reply {
    let path = "\(request.prefix)/instanceGroupManagers/\(request.call["name"])"
    try Schema.compute.check(
      request.call.body, is: "InstanceGroupManagersDeleteInstancesRequest", ignoresUnknown: isLenient)
    let members = request.call.body["instances"].elements.compactMap(\.text).map(ComputeNames.lastPart)
    let what = "delete \(members.joined(separator: ",")) of \(path)"
    if let reply = try repeated(request, what: what) { return reply }
    guard let group = groups[path] else { throw .notFound(path) }
    for member in members where group.members[member] == nil {
      throw .invalid("instances", member, "It is not a member of the group.")
    }
    return begin(
      request, type: "compute.instanceGroupManagers.deleteInstances", target: path, targetID: group.id, what: what,
      work: .deleteGroupInstances(path, members))
  }

  // MARK: Members

  /// As many members as it should have.
  mutating func fill(_ path: String, at now: Date) {
    guard var group = groups[path], group.deletion == nil else { return }
    let present = group.members.values.filter { $0.phase != .deleting }
    if present.count > group.targetSize {
      for member in present.map(\.name).sorted().suffix(present.count - group.targetSize) {
        remove(member, from: path, at: now)
      }
      return
    }
    for index in present.count..<max(present.count, group.targetSize) {
      let zones = group.zones
      let name = memberName(in: group)
      group.members[name] = GroupMember(name: name, zone: zones[index % zones.count], phase: .creating)
      groups[path] = group
      createVM(of: name, in: path, at: now)
      group = groups[path] ?? group
    }
  }

  /// Its base name and four characters.
  private mutating func memberName(in group: InstanceGroup) -> String {
    while true {
      var generator = SeededGenerator(seed: makeID() ^ ComputeNames.stableHash(group.path))
      var hash = generator.next()
      let alphabet = Array("bcdfghjklmnpqrstvwxz0123456789")
      var suffix = ""
      for _ in 0..<4 {
        suffix.append(alphabet[Int(hash % UInt64(alphabet.count))])
        hash /= UInt64(alphabet.count)
      }
      let name = "\(group.baseInstanceName)-\(suffix)"
      if group.members[name] == nil { return name }
    }
  }

  mutating func remove(_ member: String, from path: String, at now: Date) {
    guard let place = groups[path]?.members[member], place.phase != .deleting else { return }
    groups[path]?.members[member]?.phase = .deleting
    if let id = place.instance, let path = instancePaths[id], let instance = instances[path] {
      end(path, .deleted, for: beginOperation("delete", on: instance, at: now), at: now)
    } else {
      groups[path]?.members[member] = nil
      finishDeletion(of: path, at: now)
    }
  }

  /// All its VMs go, then it.
  mutating func empty(_ path: String, for operation: String, at now: Date) {
    guard let group = groups[path] else { return finish(operation, at: now) }
    groups[path]?.deletion = operation
    for member in group.members.keys.sorted() { remove(member, from: path, at: now) }
    finishDeletion(of: path, at: now)
  }

  mutating func finishDeletion(of path: String, at now: Date) {
    guard let group = groups[path], let operation = group.deletion, group.members.isEmpty else { return }
    groups[path] = nil
    finish(operation, at: now)
  }

  // MARK: Creating

  /// One attempt to make a member's VM. It fails without a trace but in `lastAttempt` and listErrors, and is made
  /// again.
  mutating func createVM(of member: String, in path: String, at now: Date) {
    guard let group = groups[path], let place = group.members[member], place.instance == nil,
      place.phase == .creating || place.phase == .recreating
    else { return }
    groups[path]?.members[member]?.attempts += 1
    switch choose(for: place, in: group) {
    case .success(let choice): make(place, choice, in: group, at: now)
    case .failure(let error):
      groups[path]?.members[member]?.lastError = error.error
      let entry = GroupError(
        instance: "projects/\(group.project)/zones/\(place.zone)/instances/\(member)",
        action: place.phase == .recreating ? "RECREATING" : "CREATING", error: error.error, time: now)
      groups[path]?.errors = (group.errors + [entry]).suffix(1000)
      recordFailedInsertion(of: entry, project: group.project, zone: place.zone, at: now)
      agenda.add(
        .create(group: path, member: member), at: now.addingTimeInterval(timing.creationRetrySeconds))
    }
  }

  private struct Choice {
    var zone: String
    var machineType: String
    var properties: JSON
  }

  private struct Refusal: Error { var error: ComputeError }

  /// A zone and a machine type that can be had.
  private mutating func choose(for place: GroupMember, in group: InstanceGroup) -> Result<Choice, Refusal> {
    let properties = templates[group.template]?["properties"] ?? [:]
    let isSpot = properties["scheduling"]["provisioningModel"].text == "SPOT"
    for disk in properties["disks"].elements {
      guard let reference = disk["initializeParams"]["sourceImage"].text else { continue }
      let image = ComputeNames.path(reference, project: group.project)
      guard ComputeCatalog.image(image) != nil else {
        return .failure(
          Refusal(error: ComputeError(code: "RESOURCE_NOT_FOUND", message: "The resource '\(image)' was not found")))
      }
    }
    let types = group.machineTypes ?? [properties["machineType"].text ?? ""]
    let zones = group.takesAnyZone ? [place.zone] + group.zones.filter { $0 != place.zone } : [place.zone]
    var first: ComputeError?
    let accelerators = properties["guestAccelerators"].elements.compactMap(\.["acceleratorType"].text)
    for type in types {
      for zone in zones {
        if let missing = Self.missing(type, accelerators, in: zone) {
          let message = "The resource 'projects/\(group.project)/zones/\(zone)/\(missing)' was not found"
          first = first ?? ComputeError(code: "RESOURCE_NOT_FOUND", message: message)
          continue
        }
        guard let fault = faults.ofCreation(zone: zone, machineType: type, name: place.name, isSpot: isSpot) else {
          return .success(Choice(zone: zone, machineType: type, properties: properties))
        }
        first = first ?? fault.error(zone: zone, machineType: type, project: group.project)
      }
    }
    return .failure(
      Refusal(error: first ?? ComputeError(code: "INVALID_ARGUMENT", message: "The group has no machine type.")))
  }

  /// What of such a machine the zone does not have.
  private static func missing(_ type: String, _ accelerators: [String], in zone: String) -> String? {
    if ComputeCatalog.machineType(type, in: zone) == nil { return "machineTypes/\(type)" }
    return accelerators.first { !ComputeCatalog.hasAccelerator($0, in: zone) }.map { "acceleratorTypes/\($0)" }
  }

  private mutating func make(_ place: GroupMember, _ choice: Choice, in group: InstanceGroup, at now: Date) {
    var properties = choice.properties
    var metadata: [String: String] = [:]
    for item in choice.properties["metadata"]["items"].elements {
      metadata[item["key"].text ?? ""] = item["value"].text ?? ""
    }
    // What the group says of all its VMs outranks the template.
    let overrides = group.body["allInstancesConfig"]["properties"]
    if properties["labels"] == .null { properties["labels"] = [:] }
    for (key, value) in overrides["labels"].fields { properties["labels"][key] = value }
    metadata.merge(overrides["metadata"].texts) { _, new in new }
    let number = ComputeNames.projectNumber(group.project)
    metadata["instance-template"] = group.template.replacing("projects/\(group.project)/", with: "projects/\(number)/")
    metadata["created-by"] = group.path.replacing("projects/\(group.project)/", with: "projects/\(number)/")
    let instance = Instance(
      project: group.project, zone: choice.zone, name: place.name, id: makeID(), machineType: choice.machineType,
      properties: properties, metadata: metadata, group: group.path, createdAt: now)
    let insertion = beginOperation("insert", on: instance, at: now)
    instances[instance.path] = instance
    instances[instance.path]?.insertion = insertion
    instancePaths[instance.id] = instance.path
    everMade["instances", default: 0] += 1
    groups[group.path]?.members[place.name]?.zone = choice.zone
    groups[group.path]?.members[place.name]?.instance = instance.id
    agenda.add(.stage(instance.id), at: now.addingTimeInterval(timing.provisioningSeconds))
    agenda.add(.start(instance.id), at: now.addingTimeInterval(timing.provisioningSeconds + timing.stagingSeconds))
  }

  // MARK: Repairing

  /// What a group does about a VM that is gone or off, though nobody asked it to.
  mutating func memberFailed(_ instance: Instance, isGone: Bool, at now: Date) {
    guard let group = groups[instance.group], let place = group.members[instance.name], place.instance == instance.id,
      place.phase != .deleting
    else { return }
    if isGone { groups[group.path]?.members[place.name]?.instance = nil }
    groups[group.path]?.members[place.name]?.phase = group.repairs ? .recreating : .settled
    guard group.repairs else { return }
    agenda.add(
      .repair(group: group.path, member: place.name, instance: isGone ? nil : instance.id),
      at: now.addingTimeInterval(timing.repairSeconds))
  }

  /// The same name, a new instance with a new disk.
  mutating func repair(_ member: String, in path: String, after id: UInt64?, at now: Date) {
    guard let place = groups[path]?.members[member], place.phase == .recreating, place.instance == id else { return }
    if let id, let old = instancePaths.removeValue(forKey: id) {
      if let instance = instances[old] { record("compute.instances.repair.recreateInstance", of: instance, at: now) }
      instances[old] = nil
      groups[path]?.members[member]?.instance = nil
      emit(.machine(.forget(id)))
    }
    createVM(of: member, in: path, at: now)
  }
}
