internal import Foundation

/// What is asked for without changing anything.
extension ComputeModel {
  func read(_ call: Call<ComputeMethod>, scope: ComputeScope) throws(APIFailure) -> JSON {
    let project = "projects/\(call["project"])"
    let prefix = "\(project)/\(scope.path)"
    let name = call["name"]
    switch call.method {
    case .instanceTemplatesGet:
      let path = "\(prefix)/instanceTemplates/\(name)"
      guard let template = templates[path] else { throw .notFound(path) }
      return template
    case .instanceTemplatesList:
      return try page(call, "instanceTemplate", in: prefix, templates(of: project))
    case .instanceTemplatesAggregatedList:
      return try aggregate(call, "instanceTemplates", [ComputeScope.global.path: templates(of: project)])
    case .instanceGroupManagersGet, .regionInstanceGroupManagersGet: return json(of: try group(call, prefix))
    case .instanceGroupManagersList, .regionInstanceGroupManagersList:
      return try page(
        call, "instanceGroupManager", in: prefix,
        groups(of: project).filter { $0.scope == scope }.map { json(of: $0) })
    case .instanceGroupManagersAggregatedList:
      return try aggregate(
        call, "instanceGroupManagers",
        Dictionary(grouping: groups(of: project), by: \.scope.path).mapValues { $0.map { json(of: $0) } })
    case .instanceGroupManagersListManagedInstances, .regionInstanceGroupManagersListManagedInstances:
      return try managedInstances(call, try group(call, prefix))
    case .instanceGroupManagersListErrors, .regionInstanceGroupManagersListErrors:
      return try errors(call, try group(call, prefix))
    case .instanceGroupsGet, .regionInstanceGroupsGet: return groupJSON(of: try group(call, prefix))
    case .instanceGroupsList, .regionInstanceGroupsList:
      return try page(
        call, "instanceGroup", in: prefix,
        groups(of: project).filter { $0.scope == scope }.map { groupJSON(of: $0) })
    case .instanceGroupsAggregatedList:
      return try aggregate(
        call, "instanceGroups",
        Dictionary(grouping: groups(of: project), by: \.scope.path).mapValues { $0.map { groupJSON(of: $0) } })
    case .instanceGroupsListInstances, .regionInstanceGroupsListInstances:
      let group = try group(call, prefix)
      let rows = members(of: group).map { instance -> JSON in
        ["instance": .string(base + instance.path), "status": .string(instance.status.rawValue)]
      }
      return try page(call, "instanceGroupsListInstances", in: "\(group.groupPath)/listInstances", rows)
    case .instancesGet: return json(of: try instance(call, prefix))
    case .instancesList:
      return try page(
        call, "instance", in: prefix,
        instances(of: project).filter { "zones/\($0.zone)" == scope.path }.map { json(of: $0) })
    case .instancesAggregatedList:
      return try aggregate(
        call, "instances",
        Dictionary(grouping: instances(of: project), by: { "zones/\($0.zone)" }).mapValues { $0.map { json(of: $0) } })
    case .instancesGetSerialPortOutput: return serialPort(call, try instance(call, prefix))
    case .globalOperationsGet, .regionOperationsGet, .zoneOperationsGet:
      let path = "\(prefix)/operations/\(name)"
      guard let operation = operations[path] else { throw .notFound(path) }
      return json(of: operation)
    case .globalOperationsList, .regionOperationsList, .zoneOperationsList:
      let rows = operations.values.filter { $0.scope == scope && "projects/\($0.project)" == project }
      return try page(call, "operation", in: prefix, rows.sorted { $0.name < $1.name }.map { json(of: $0) })
    case .globalOperationsAggregatedList:
      let rows = operations.values.filter { "projects/\($0.project)" == project }.sorted { $0.name < $1.name }
      return try aggregate(
        call, "operations", Dictionary(grouping: rows, by: \.scope.path).mapValues { $0.map { json(of: $0) } })
    case .imagesGet, .imagesList, .imagesGetFromFamily, .zonesGet, .zonesList, .regionsGet, .regionsList,
      .machineTypesGet, .machineTypesList, .machineTypesAggregatedList, .networksGet, .networksList, .autoscalersList,
      .regionAutoscalersList, .projectsGet:
      return try readCatalog(call, prefix: prefix)
    case .instanceTemplatesInsert, .instanceTemplatesDelete, .instanceGroupManagersInsert,
      .regionInstanceGroupManagersInsert, .instanceGroupManagersDelete, .regionInstanceGroupManagersDelete,
      .instanceGroupManagersResize, .regionInstanceGroupManagersResize, .instanceGroupManagersDeleteInstances,
      .regionInstanceGroupManagersDeleteInstances, .instancesDelete, .instancesStop, .globalOperationsWait,
      .regionOperationsWait, .zoneOperationsWait:
      preconditionFailure("\(call.method) changes something")
    }
  }

  private func templates(of project: String) -> [JSON] {
    templates.filter { $0.key.hasPrefix(project + "/") }.sorted { $0.key < $1.key }.map(\.value)
  }

  private func groups(of project: String) -> [InstanceGroup] {
    groups.values.filter { "projects/\($0.project)" == project }.sorted { $0.path < $1.path }
  }

  private func instances(of project: String) -> [Instance] {
    instances.values.filter { "projects/\($0.project)" == project }.sorted { $0.path < $1.path }
  }

  func members(of group: InstanceGroup) -> [Instance] {
    group.members.values.sorted { $0.name < $1.name }
      .compactMap { $0.instance.flatMap { instancePaths[$0] }.flatMap { instances[$0] } }
  }

  private func group(_ call: Call<ComputeMethod>, _ prefix: String) throws(APIFailure) -> InstanceGroup {
    let path = "\(prefix)/instanceGroupManagers/\(call["name"])"
    guard let group = groups[path] else { throw .notFound(path) }
    return group
  }

  private func instance(_ call: Call<ComputeMethod>, _ prefix: String) throws(APIFailure) -> Instance {
    let path = "\(prefix)/instances/\(call["name"])"
    guard let instance = instances[path] else { throw .notFound(path) }
    return instance
  }

  private func managedInstances(_ call: Call<ComputeMethod>, _ group: InstanceGroup) throws(APIFailure) -> JSON {
    let rows = group.members.values.sorted { $0.name < $1.name }.map { json(of: $0, in: group) }
    return try pageFields(call, rows, name: "managedInstances")
  }

  private func errors(_ call: Call<ComputeMethod>, _ group: InstanceGroup) throws(APIFailure) -> JSON {
    let rows = group.errors.reversed().map { entry -> JSON in
      [
        "error": entry.error.json, "timestamp": .string(entry.time.computeText),
        "instanceActionDetails": [
          "instance": .string(base + entry.instance), "action": .string(entry.action),
          "version": ["instanceTemplate": .string(base + group.template)],
        ],
      ]
    }
    return try pageFields(call, rows, name: "items")
  }

  private func serialPort(_ call: Call<ComputeMethod>, _ instance: Instance) -> JSON {
    let output = Array(serialOutput(instance.id).utf8)
    let asked = call.query("start").flatMap(Int.init) ?? 0
    // Below zero it is counted from the end.
    let start = asked < 0 ? max(output.count + asked, 0) : min(asked, output.count)
    return [
      "kind": "compute#serialPortOutput", "selfLink": .string("\(base)\(instance.path)/serialPort"),
      "contents": .string(String(decoding: output[start...], as: UTF8.self)), "start": "\(start)",
      "next": "\(output.count)",
    ]
  }
}
