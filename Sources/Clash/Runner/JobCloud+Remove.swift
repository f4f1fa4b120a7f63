internal import GoogleCloud

/// Removing things. What is not there is removed; each returns false when what has the name is not the job's.
extension JobCloud {
  /// The group's VM goes with it.
  func removeGroup(
    _ plan: AttemptPlan, _ request: JobRequest, _ id: RequestID, checksOwner: Bool
  ) async throws(CloudError) -> Bool {
    let name = plan.resourceName(job: request.name)
    let scope = plan.candidate.place.scope
    let compute = compute
    if checksOwner {
      guard
        let group = try await found({ () throws(CloudError) in try await compute.instanceGroup(named: name, in: scope) }
        )
      else { return true }
      guard JobOwner(request: request).owns(group) else { return false }
    }
    try await removed { () throws(CloudError) in
      let operation = try await compute.deleteInstanceGroup(named: name, in: scope, requestID: id)
      guard case .forgotten = try await compute.wait(for: operation) else { return }
      _ = try await compute.instanceGroup(named: name, in: scope)
      throw CloudError(
        .unavailable, operation: "delete instance group", subject: name, message: "it is still there")
    }
    return true
  }

  func removeTemplate(
    _ plan: AttemptPlan, _ request: JobRequest, _ id: RequestID, checksOwner: Bool
  ) async throws(CloudError) -> Bool {
    let name = plan.resourceName(job: request.name)
    let compute = compute
    if checksOwner {
      guard let template = try await found({ () throws(CloudError) in try await compute.instanceTemplate(named: name) })
      else { return true }
      guard JobOwner(request: request).owns(template) else { return false }
    }
    try await removed { () throws(CloudError) in
      let operation = try await compute.deleteInstanceTemplate(named: name, requestID: id)
      guard case .forgotten = try await compute.wait(for: operation) else { return }
      _ = try await compute.instanceTemplate(named: name)
      throw CloudError(
        .unavailable, operation: "delete instance template", subject: name, message: "it is still there")
    }
    return true
  }

  func removeSubscription(_ request: JobRequest, checksOwner: Bool) async throws(CloudError) -> Bool {
    let pubSub = pubSub
    let name = request.name
    if checksOwner {
      guard let known = try await found({ () throws(CloudError) in try await pubSub.subscription(name) }) else {
        return true
      }
      guard JobOwner(request: request).owns(labels: known.labels) else { return false }
    }
    try await removed { () throws(CloudError) in try await pubSub.deleteSubscription(name) }
    return true
  }

  func removeTopic(_ request: JobRequest, checksOwner: Bool) async throws(CloudError) -> Bool {
    let pubSub = pubSub
    let name = request.name
    if checksOwner {
      guard let known = try await found({ () throws(CloudError) in try await pubSub.topic(name) }) else { return true }
      guard JobOwner(request: request).owns(labels: known.labels) else { return false }
    }
    try await removed { () throws(CloudError) in try await pubSub.deleteTopic(name) }
    return true
  }

  /// nil when there is none.
  func found<Resource: Sendable>(
    _ read: @Sendable () async throws(CloudError) -> Resource
  ) async throws(CloudError) -> Resource? {
    do throws(CloudError) { return try await read() } catch  where error.reason == .notFound { return nil }
  }

  func removed(_ remove: @Sendable () async throws(CloudError) -> Void) async throws(CloudError) {
    do throws(CloudError) { try await remove() } catch  where error.reason == .notFound {}
  }
}
