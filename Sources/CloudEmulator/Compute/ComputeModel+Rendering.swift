internal import Foundation

/// Resources as Google shows them.
extension ComputeModel {
  func json(of operation: ComputeOperation) -> JSON {
    var json: JSON = [
      "kind": "compute#operation", "id": "\(operation.id)", "name": .string(operation.name),
      "operationType": .string(operation.type), "targetLink": .string(base + operation.target),
      "targetId": "\(operation.targetID)", "status": .string(operation.status.rawValue), "user": "emulator",
      "insertTime": .string(operation.insertTime.computeText), "selfLink": .string(base + operation.path),
      "startTime": operation.startTime.map { .string($0.computeText) } ?? .null,
      "endTime": operation.endTime.map { .string($0.computeText) } ?? .null,
    ]
    switch operation.status {
    case .pending: json["progress"] = 0
    case .running: json["progress"] = 50
    case .done: json["progress"] = 100
    }
    place(operation.scope, operation.project, &json)
    if operation.status == .done, let error = operation.error {
      json["error"] = ["errors": [error.json]]
      json["httpErrorStatusCode"] = 400
      json["httpErrorMessage"] = "BAD REQUEST"
    }
    return json
  }

  private func place(_ scope: ComputeScope, _ project: String, _ json: inout JSON) {
    switch scope {
    case .global: break
    case .zone: json["zone"] = .string("\(base)projects/\(project)/\(scope.path)")
    case .region: json["region"] = .string("\(base)projects/\(project)/\(scope.path)")
    }
  }

  func json(of group: InstanceGroup) -> JSON {
    var json = group.body
    let actions = group.members.values.map { action(of: $0) }
    let isStable = !actions.contains { $0 != "NONE" } && group.members.count == group.targetSize
    json["kind"] = "compute#instanceGroupManager"
    json["id"] = "\(group.id)"
    json["creationTimestamp"] = .string(group.createdAt.computeText)
    json["selfLink"] = .string(base + group.path)
    json["instanceTemplate"] = .string(base + group.template)
    json["versions"] = [
      [
        "instanceTemplate": .string(base + group.template),
        "targetSize": ["calculated": .integer(Int64(group.targetSize))],
      ]
    ]
    json["instanceGroup"] = .string(base + group.groupPath)
    json["baseInstanceName"] = .string(group.baseInstanceName)
    json["targetSize"] = .integer(Int64(group.targetSize))
    json["fingerprint"] = .string(Self.fingerprint(group.id &+ UInt64(group.targetSize)))
    json["currentActions"] = .object(
      Dictionary(
        uniqueKeysWithValues: [
          "NONE", "CREATING", "RECREATING", "DELETING", "ABANDONING", "RESTARTING", "REFRESHING", "VERIFYING",
          "CREATING_WITHOUT_RETRIES", "STARTING", "STOPPING", "SUSPENDING", "RESUMING",
        ].map { name in (Self.camelCase(name), .integer(Int64(actions.count { $0 == name }))) }))
    json["status"] = [
      "isStable": .bool(isStable), "versionTarget": ["isReached": true],
      "allInstancesConfig": ["effective": true],
      "stateful": ["hasStatefulConfig": false, "perInstanceConfigs": ["allEffective": true]],
    ]
    if json["updatePolicy"] == .null {
      json["updatePolicy"] = ["type": "OPPORTUNISTIC", "minimalAction": "REPLACE", "replacementMethod": "SUBSTITUTE"]
    }
    if json["instanceLifecyclePolicy"] == .null {
      json["instanceLifecyclePolicy"] = ["defaultActionOnFailure": "REPAIR", "forceUpdateOnRepair": "NO"]
    }
    if case .region = group.scope {
      var policy = json["distributionPolicy"] == .null ? [:] : json["distributionPolicy"]
      policy["zones"] = .array(
        group.zones.map { ["zone": .string("\(base)projects/\(group.project)/zones/\($0)")] })
      if policy["targetShape"] == .null { policy["targetShape"] = "EVEN" }
      json["distributionPolicy"] = policy
    }
    place(group.scope, group.project, &json)
    return json
  }

  /// `CREATING_WITHOUT_RETRIES` -> `creatingWithoutRetries`
  private static func camelCase(_ name: String) -> String {
    let words = name.lowercased().split(separator: "_")
    return words[0] + words.dropFirst().map(\.capitalized).joined()
  }

  /// The unmanaged side of a managed group.
  func groupJSON(of group: InstanceGroup) -> JSON {
    var json: JSON = [
      "kind": "compute#instanceGroup", "id": "\(group.id + 1)", "name": .string(group.name),
      "creationTimestamp": .string(group.createdAt.computeText), "selfLink": .string(base + group.groupPath),
      "description": .string("This instance group is controlled by Instance Group Manager '\(group.name)'."),
      "fingerprint": .string(Self.fingerprint(group.id + 1)),
      "size": .integer(Int64(members(of: group).count)),
      "network": .string("\(base)projects/\(group.project)/global/networks/default"),
    ]
    place(group.scope, group.project, &json)
    return json
  }

  func action(of member: GroupMember) -> String {
    switch member.phase {
    case .creating: "CREATING"
    case .settled: "NONE"
    case .recreating: "RECREATING"
    case .deleting: "DELETING"
    }
  }

  func json(of member: GroupMember, in group: InstanceGroup) -> JSON {
    var json: JSON = [
      "instance": .string("\(base)projects/\(group.project)/zones/\(member.zone)/instances/\(member.name)"),
      "name": .string(member.name), "currentAction": .string(action(of: member)),
      "version": ["instanceTemplate": .string(base + group.template)],
    ]
    if let id = member.instance {
      json["id"] = "\(id)"
      json["instanceStatus"] = instancePaths[id].flatMap { instances[$0] }.map { .string($0.status.rawValue) } ?? .null
    }
    if let error = member.lastError { json["lastAttempt"] = ["errors": ["errors": [error.json]]] }
    return json
  }

  func json(of instance: Instance) -> JSON {
    let project = "\(base)projects/\(instance.project)"
    let zone = "\(project)/zones/\(instance.zone)"
    var json: JSON = [
      "kind": "compute#instance", "id": "\(instance.id)", "name": .string(instance.name),
      "creationTimestamp": .string(instance.createdAt.computeText), "zone": .string(zone),
      "machineType": .string("\(zone)/machineTypes/\(instance.machineType)"),
      "status": .string(instance.status.rawValue), "selfLink": .string(base + instance.path),
      "cpuPlatform": "Intel Haswell", "deletionProtection": false, "startRestricted": false, "canIpForward": false,
      "labelFingerprint": .string(Self.fingerprint(instance.id)), "fingerprint": .string(Self.fingerprint(instance.id)),
      "labels": instance.properties["labels"], "scheduling": instance.properties["scheduling"],
      "serviceAccounts": instance.properties["serviceAccounts"],
      "guestAccelerators": instance.properties["guestAccelerators"],
      "lastStartTimestamp": instance.startedAt.map { .string($0.computeText) } ?? .null,
      "lastStopTimestamp": instance.stoppedAt.map { .string($0.computeText) } ?? .null,
    ]
    json["tags"] = ["fingerprint": "42WmSpB8rSM=", "items": instance.properties["tags"]["items"]]
    json["metadata"] = [
      "kind": "compute#metadata", "fingerprint": .string(Self.fingerprint(instance.id + 1)),
      "items": .array(
        instance.metadata.sorted { $0.key < $1.key }.map { ["key": .string($0.key), "value": .string($0.value)] }),
    ]
    json["disks"] = .array(
      instance.properties["disks"].elements.enumerated().map { index, disk in
        let name = index == 0 ? instance.name : "\(instance.name)-\(index)"
        return [
          "kind": "compute#attachedDisk", "index": .integer(Int64(index)), "boot": .bool(disk["boot"].flag ?? false),
          "autoDelete": disk["autoDelete"], "mode": disk["mode"], "type": disk["type"], "interface": "SCSI",
          "deviceName": .string(disk["deviceName"].text ?? "persistent-disk-\(index)"),
          "source": .string("\(zone)/disks/\(name)"),
          "diskSizeGb": .string("\(disk["initializeParams"]["diskSizeGb"].whole ?? 10)"),
        ]
      })
    json["networkInterfaces"] = .array(
      instance.properties["networkInterfaces"].elements.enumerated().map { index, interface in
        var interface = interface
        interface["networkIP"] = .string(Self.address(instance.id, index))
        if interface["network"] == .null { interface["network"] = .string("\(project)/global/networks/default") }
        return interface
      })
    return json
  }

  private static func address(_ id: UInt64, _ index: Int) -> String {
    "10.\(132 + index).\((id / 7_919 / 250) % 250).\((id / 7_919) % 250 + 2)"
  }
}
