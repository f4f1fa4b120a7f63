import Foundation

extension ComputeClient {
  /// How an operation stands now.
  package func operation(named name: String, in scope: Scope) async throws(CloudError) -> ComputeOperation {
    try await transport.answer(
      ComputeOperation.self,
      to: CloudRequest(
        .compute, .get, path(scope, "operations", name), operation: "read operation", subject: name))
  }

  /// Of one zone, those that Google still remembers.
  package func operations(
    zone: String, _ filter: ComputeFilter
  ) async throws(CloudError) -> [ComputeOperation] {
    let request = list(path(.zone(zone), "operations"), filter: filter, operation: "list operations of", subject: zone)
    return try await transport.pages(ItemPage<ComputeOperation>.self, of: request).flatMap { $0.items ?? [] }
  }

  /// The same of all zones and regions.
  package func allOperations(_ filter: ComputeFilter) async throws(CloudError) -> AggregatedList<ComputeOperation> {
    let request = list(
      aggregatedPath("operations"), filter: filter, operation: "list operations of", subject: project)
    return AggregatedList(try await transport.pages(AggregatedPage<ScopedOperations>.self, of: request))
  }

  /// Waits until an operation is done, however long that takes. Cancel the task to stop waiting.
  ///
  /// - Throws: the operation's own error too, in the words of what it was to do.
  @discardableResult
  package func wait(for operation: ComputeOperation) async throws(CloudError) -> OperationEnd {
    var current = operation
    while !current.isDone {
      do {
        current = try await waitOnce(for: current)
      } catch  where error.reason == .notFound {
        return .forgotten
      }
      guard !current.isDone else { break }
      // Google holds the call for up to two minutes, but may answer at once when it is busy.
      await sleep(Self.floorSeconds)
      guard !Task.isCancelled else {
        throw CloudError(
          .cancelled, operation: current.words, subject: current.subject, message: "nobody waits for it any more")
      }
    }
    if let faults = current.error?.errors, !faults.isEmpty {
      throw CloudError(faults, operation: current.words, subject: current.subject, project: project)
    }
    if current.error != nil || (current.httpErrorStatusCode ?? 0) >= 400 {
      throw CloudError(
        [ComputeFault(code: nil, message: current.httpErrorMessage)], operation: current.words,
        subject: current.subject, project: project)
    }
    return .succeeded(current)
  }

  /// Between two calls of `operations.wait`.
  static let floorSeconds = 1.0

  /// One call that Google holds until the operation is done, or for two minutes.
  private func waitOnce(for operation: ComputeOperation) async throws(CloudError) -> ComputeOperation {
    var request = CloudRequest(
      .compute, .post, path(operation.scope, "operations", operation.name, "wait"),
      operation: "wait for operation", subject: operation.name)
    request.timeoutSeconds = 150
    request.isLongPoll = true
    return try await transport.heldAnswer(ComputeOperation.self, to: request) ?? operation
  }
}

extension ComputeOperation {
  /// What it does, for errors: "insert instance group".
  var words: String {
    let kinds = [
      "instanceTemplates": "instance template", "instanceGroupManagers": "instance group", "instances": "instance",
    ]
    let kind = targetLink.flatMap { link in
      link.split(separator: "/").dropLast().last.map { kinds[String($0)] ?? String($0) }
    }
    // Of a group it is the method's whole name: `compute.instanceGroupManagers.insert`.
    let verb = operationType?.split(separator: ".").last.map(String.init)
    return [verb ?? "run operation on", kind].compactMap(\.self).joined(separator: " ")
  }

  /// The name of what it works on.
  var subject: String { targetLink.map(resourceName(ofLink:)) ?? name }
}

private struct ScopedOperations: ScopedItems {
  var operations: [ComputeOperation]?
  var warning: ComputeOperation.Warning?
  var scopedItems: [ComputeOperation]? { operations }
}
