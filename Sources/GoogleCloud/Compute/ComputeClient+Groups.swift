/// Managed groups, zonal and regional alike: the scope decides which of Google's two resources is meant.
extension ComputeClient {
  /// Done before any VM exists: `managedInstances` lists those.
  ///
  /// - Parameter scope: a zone or a region.
  /// - Throws: `.alreadyExists` when there is one with the name.
  package func insertInstanceGroup(
    _ group: InstanceGroupManager, in scope: Scope, requestID: RequestID
  ) async throws(CloudError) -> ComputeOperation {
    let request = try mutation(
      .post, path(scope, "instanceGroupManagers"), requestID: requestID, operation: "insert instance group",
      subject: group.name
    ).withBody(group)
    return try await transport.answer(ComputeOperation.self, to: request)
  }

  package func instanceGroup(named name: String, in scope: Scope) async throws(CloudError) -> InstanceGroupManager {
    try await transport.answer(
      InstanceGroupManager.self,
      to: CloudRequest(
        .compute, .get, path(scope, "instanceGroupManagers", name), operation: "read instance group", subject: name))
  }

  /// Deletes its VMs too: one operation that may take minutes.
  package func deleteInstanceGroup(
    named name: String, in scope: Scope, requestID: RequestID
  ) async throws(CloudError) -> ComputeOperation {
    try await transport.answer(
      ComputeOperation.self,
      to: mutation(
        .delete, path(scope, "instanceGroupManagers", name), requestID: requestID,
        operation: "delete instance group", subject: name))
  }

  /// The groups of one zone or region.
  package func instanceGroups(
    in scope: Scope, _ filter: ComputeFilter? = nil
  ) async throws(CloudError) -> [InstanceGroupManager] {
    let request = list(
      path(scope, "instanceGroupManagers"), filter: filter, operation: "list instance groups of", subject: scope.path)
    return try await transport.pages(ItemPage<InstanceGroupManager>.self, of: request).flatMap { $0.items ?? [] }
  }

  /// The groups of all zones and regions.
  package func allInstanceGroups(
    _ filter: ComputeFilter? = nil
  ) async throws(CloudError) -> AggregatedList<InstanceGroupManager> {
    let request = list(
      aggregatedPath("instanceGroupManagers"), filter: filter, operation: "list instance groups of", subject: project)
    return AggregatedList(try await transport.pages(AggregatedPage<ScopedGroups>.self, of: request))
  }

  /// The group's VMs, also those that it could not make yet, with the reason.
  package func managedInstances(
    ofGroup name: String, in scope: Scope
  ) async throws(CloudError) -> [ManagedInstance] {
    let request = list(
      path(scope, "instanceGroupManagers", name, "listManagedInstances"), method: .post,
      operation: "list instances of group", subject: name)
    return try await transport.pages(ManagedInstancePage.self, of: request).flatMap { $0.managedInstances ?? [] }
  }

  /// What went wrong in the group of late, newest as Google orders them.
  package func errors(ofGroup name: String, in scope: Scope) async throws(CloudError) -> [GroupError] {
    let request = list(
      path(scope, "instanceGroupManagers", name, "listErrors"), operation: "list errors of instance group",
      subject: name)
    return try await transport.pages(ItemPage<GroupError>.self, of: request).flatMap { $0.items ?? [] }
  }

  func aggregatedPath(_ collection: String) -> String {
    "projects/\(CloudPath.encoded(project))/aggregated/\(collection)"
  }
}

private struct ManagedInstancePage: ListPage {
  var managedInstances: [ManagedInstance]?
  var nextPageToken: String?
}

private struct ScopedGroups: ScopedItems {
  var instanceGroupManagers: [InstanceGroupManager]?
  var warning: ComputeOperation.Warning?
  var scopedItems: [InstanceGroupManager]? { instanceGroupManagers }
}
