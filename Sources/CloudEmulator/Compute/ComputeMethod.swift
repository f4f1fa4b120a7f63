/// The methods of Compute Engine that are emulated, by Google's names.
enum ComputeMethod: String, Sendable, CaseIterable {
  case instanceTemplatesInsert = "compute.instanceTemplates.insert"
  case instanceTemplatesGet = "compute.instanceTemplates.get"
  case instanceTemplatesList = "compute.instanceTemplates.list"
  case instanceTemplatesAggregatedList = "compute.instanceTemplates.aggregatedList"
  case instanceTemplatesDelete = "compute.instanceTemplates.delete"
  case instanceGroupManagersInsert = "compute.instanceGroupManagers.insert"
  case instanceGroupManagersGet = "compute.instanceGroupManagers.get"
  case instanceGroupManagersList = "compute.instanceGroupManagers.list"
  case instanceGroupManagersAggregatedList = "compute.instanceGroupManagers.aggregatedList"
  case instanceGroupManagersDelete = "compute.instanceGroupManagers.delete"
  case instanceGroupManagersResize = "compute.instanceGroupManagers.resize"
  case instanceGroupManagersListManagedInstances = "compute.instanceGroupManagers.listManagedInstances"
  case instanceGroupManagersListErrors = "compute.instanceGroupManagers.listErrors"
  case instanceGroupManagersDeleteInstances = "compute.instanceGroupManagers.deleteInstances"
  case regionInstanceGroupManagersInsert = "compute.regionInstanceGroupManagers.insert"
  case regionInstanceGroupManagersGet = "compute.regionInstanceGroupManagers.get"
  case regionInstanceGroupManagersList = "compute.regionInstanceGroupManagers.list"
  case regionInstanceGroupManagersDelete = "compute.regionInstanceGroupManagers.delete"
  case regionInstanceGroupManagersResize = "compute.regionInstanceGroupManagers.resize"
  case regionInstanceGroupManagersListManagedInstances = "compute.regionInstanceGroupManagers.listManagedInstances"
  case regionInstanceGroupManagersListErrors = "compute.regionInstanceGroupManagers.listErrors"
  case regionInstanceGroupManagersDeleteInstances = "compute.regionInstanceGroupManagers.deleteInstances"
  case instanceGroupsGet = "compute.instanceGroups.get"
  case instanceGroupsList = "compute.instanceGroups.list"
  case instanceGroupsAggregatedList = "compute.instanceGroups.aggregatedList"
  case instanceGroupsListInstances = "compute.instanceGroups.listInstances"
  case regionInstanceGroupsGet = "compute.regionInstanceGroups.get"
  case regionInstanceGroupsList = "compute.regionInstanceGroups.list"
  case regionInstanceGroupsListInstances = "compute.regionInstanceGroups.listInstances"
  case instancesGet = "compute.instances.get"
  case instancesList = "compute.instances.list"
  case instancesAggregatedList = "compute.instances.aggregatedList"
  case instancesDelete = "compute.instances.delete"
  case instancesStop = "compute.instances.stop"
  case instancesGetSerialPortOutput = "compute.instances.getSerialPortOutput"
  case imagesGet = "compute.images.get"
  case imagesList = "compute.images.list"
  case imagesGetFromFamily = "compute.images.getFromFamily"
  case zonesGet = "compute.zones.get"
  case zonesList = "compute.zones.list"
  case regionsGet = "compute.regions.get"
  case regionsList = "compute.regions.list"
  case machineTypesGet = "compute.machineTypes.get"
  case machineTypesList = "compute.machineTypes.list"
  case machineTypesAggregatedList = "compute.machineTypes.aggregatedList"
  case networksGet = "compute.networks.get"
  case networksList = "compute.networks.list"
  case autoscalersList = "compute.autoscalers.list"
  case regionAutoscalersList = "compute.regionAutoscalers.list"
  case projectsGet = "compute.projects.get"
  case globalOperationsGet = "compute.globalOperations.get"
  case globalOperationsList = "compute.globalOperations.list"
  case globalOperationsAggregatedList = "compute.globalOperations.aggregatedList"
  case globalOperationsWait = "compute.globalOperations.wait"
  case regionOperationsGet = "compute.regionOperations.get"
  case regionOperationsList = "compute.regionOperations.list"
  case regionOperationsWait = "compute.regionOperations.wait"
  case zoneOperationsGet = "compute.zoneOperations.get"
  case zoneOperationsList = "compute.zoneOperations.list"
  case zoneOperationsWait = "compute.zoneOperations.wait"
}

extension ComputeMethod {
  /// From the discovery document of compute v1 (revision 20261106); names that begin with `@` stand for what
  /// recurs.
  static let routes = RouteTable<ComputeMethod>(
    """
    compute.instanceTemplates.insert POST projects/{project}/global/instanceTemplates requestId
    compute.instanceTemplates.get GET projects/{project}/global/instanceTemplates/{name}
    compute.instanceTemplates.list GET projects/{project}/global/instanceTemplates @list
    compute.instanceTemplates.aggregatedList GET projects/{project}/aggregated/instanceTemplates @list \
    includeAllScopes serviceProjectNumber
    compute.instanceTemplates.delete DELETE projects/{project}/global/instanceTemplates/{name} requestId
    compute.instanceGroupManagers.insert POST @zone/instanceGroupManagers requestId
    compute.instanceGroupManagers.get GET @zone/instanceGroupManagers/{name}
    compute.instanceGroupManagers.list GET @zone/instanceGroupManagers @list
    compute.instanceGroupManagers.aggregatedList GET projects/{project}/aggregated/instanceGroupManagers @list \
    includeAllScopes serviceProjectNumber
    compute.instanceGroupManagers.delete DELETE @zone/instanceGroupManagers/{name} noGracefulShutdown requestId
    compute.instanceGroupManagers.resize POST @zone/instanceGroupManagers/{name}/resize requestId size
    compute.instanceGroupManagers.listManagedInstances POST @zone/instanceGroupManagers/{name}/listManagedInstances \
    @list
    compute.instanceGroupManagers.listErrors GET @zone/instanceGroupManagers/{name}/listErrors @list
    compute.instanceGroupManagers.deleteInstances POST @zone/instanceGroupManagers/{name}/deleteInstances \
    noGracefulShutdown requestId
    compute.regionInstanceGroupManagers.insert POST @region/instanceGroupManagers requestId
    compute.regionInstanceGroupManagers.get GET @region/instanceGroupManagers/{name}
    compute.regionInstanceGroupManagers.list GET @region/instanceGroupManagers @list
    compute.regionInstanceGroupManagers.delete DELETE @region/instanceGroupManagers/{name} noGracefulShutdown requestId
    compute.regionInstanceGroupManagers.resize POST @region/instanceGroupManagers/{name}/resize requestId size
    compute.regionInstanceGroupManagers.listManagedInstances POST \
    @region/instanceGroupManagers/{name}/listManagedInstances @list
    compute.regionInstanceGroupManagers.listErrors GET @region/instanceGroupManagers/{name}/listErrors @list
    compute.regionInstanceGroupManagers.deleteInstances POST @region/instanceGroupManagers/{name}/deleteInstances \
    noGracefulShutdown requestId
    compute.instanceGroups.get GET @zone/instanceGroups/{name}
    compute.instanceGroups.list GET @zone/instanceGroups @list
    compute.instanceGroups.aggregatedList GET projects/{project}/aggregated/instanceGroups @list includeAllScopes \
    serviceProjectNumber
    compute.instanceGroups.listInstances POST @zone/instanceGroups/{name}/listInstances @list
    compute.regionInstanceGroups.get GET @region/instanceGroups/{name}
    compute.regionInstanceGroups.list GET @region/instanceGroups @list
    compute.regionInstanceGroups.listInstances POST @region/instanceGroups/{name}/listInstances @list
    compute.instances.get GET @zone/instances/{name}
    compute.instances.list GET @zone/instances @list
    compute.instances.aggregatedList GET projects/{project}/aggregated/instances @list includeAllScopes \
    serviceProjectNumber
    compute.instances.delete DELETE @zone/instances/{name} noGracefulShutdown requestId
    compute.instances.stop POST @zone/instances/{name}/stop discardLocalSsd noGracefulShutdown requestId
    compute.instances.getSerialPortOutput GET @zone/instances/{name}/serialPort port start
    compute.images.get GET projects/{project}/global/images/{name}
    compute.images.list GET projects/{project}/global/images @list
    compute.images.getFromFamily GET projects/{project}/global/images/family/{family}
    compute.zones.get GET @zone
    compute.zones.list GET projects/{project}/zones @list
    compute.regions.get GET @region
    compute.regions.list GET projects/{project}/regions @list
    compute.machineTypes.get GET @zone/machineTypes/{name}
    compute.machineTypes.list GET @zone/machineTypes @list
    compute.machineTypes.aggregatedList GET projects/{project}/aggregated/machineTypes @list includeAllScopes \
    serviceProjectNumber
    compute.networks.get GET projects/{project}/global/networks/{name}
    compute.networks.list GET projects/{project}/global/networks @list
    compute.autoscalers.list GET @zone/autoscalers @list
    compute.regionAutoscalers.list GET @region/autoscalers @list
    compute.projects.get GET projects/{project}
    compute.globalOperations.get GET projects/{project}/global/operations/{name}
    compute.globalOperations.list GET projects/{project}/global/operations @list
    compute.globalOperations.aggregatedList GET projects/{project}/aggregated/operations @list includeAllScopes \
    serviceProjectNumber
    compute.globalOperations.wait POST projects/{project}/global/operations/{name}/wait
    compute.regionOperations.get GET @region/operations/{name}
    compute.regionOperations.list GET @region/operations @list
    compute.regionOperations.wait POST @region/operations/{name}/wait
    compute.zoneOperations.get GET @zone/operations/{name}
    compute.zoneOperations.list GET @zone/operations @list
    compute.zoneOperations.wait POST @zone/operations/{name}/wait
    """.replacing("@list", with: "filter maxResults orderBy pageToken returnPartialSuccess")
      .replacing("@zone", with: "projects/{project}/zones/{zone}")
      .replacing("@region", with: "projects/{project}/regions/{region}"))
}
