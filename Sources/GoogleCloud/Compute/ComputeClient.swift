import Foundation

/// Compute Engine, as far as jobs need it: images, instance templates, managed groups, instances, operations.
package struct ComputeClient: Sendable {
  package let project: String
  let transport: any CloudTransport
  /// Waits some seconds; ends early only when the task is cancelled.
  let sleep: @Sendable (_ seconds: Double) async -> Void
  /// Of lists; nil: that of every request.
  private var patienceSeconds: Double?

  package init(
    project: String, transport: any CloudTransport,
    sleep: @escaping @Sendable (_ seconds: Double) async -> Void = { try? await Task.sleep(for: .seconds($0)) }
  ) {
    self.project = project
    self.transport = transport
    self.sleep = sleep
  }

  /// The same client, for lists that are of use only soon.
  package func hurried(seconds: Double) -> ComputeClient {
    var client = self
    client.patienceSeconds = seconds
    return client
  }

  func path(_ scope: Scope, _ segments: String...) -> String {
    (["projects", CloudPath.encoded(project), scope.path] + segments.map(CloudPath.encoded)).joined(separator: "/")
  }

  /// - Parameter requestID: makes a repeat harmless, and so allows it.
  func mutation(
    _ method: CloudRequest.Method, _ path: String, requestID: RequestID, operation: String, subject: String
  ) -> CloudRequest {
    CloudRequest(
      .compute, method, path, query: [URLQueryItem(name: "requestId", value: requestID.description)],
      operation: operation, subject: subject)
  }

  func list(
    _ path: String, filter: ComputeFilter? = nil, method: CloudRequest.Method = .get, operation: String, subject: String
  ) -> CloudRequest {
    var request = CloudRequest(.compute, method, path, operation: operation, subject: subject)
    if let filter { request.query.append(URLQueryItem(name: "filter", value: filter.description)) }
    request.query.append(URLQueryItem(name: "maxResults", value: "500"))
    request.patienceSeconds = patienceSeconds
    if let patienceSeconds { request.timeoutSeconds = min(request.timeoutSeconds, patienceSeconds) }
    return request
  }
}

/// A list over all places of a project.
package struct AggregatedList<Item: Hashable & Sendable>: Hashable, Sendable {
  package var items: [Item]
  /// Places that could not be asked: what is there is missing in `items`.
  package var unreachable: [String]

  package init(items: [Item], unreachable: [String] = []) {
    self.items = items
    self.unreachable = unreachable
  }
}

/// A page of `items`; missing when empty.
struct ItemPage<Item: Decodable & Sendable>: ListPage {
  var items: [Item]?
  var nextPageToken: String?
}

/// A page of an aggregated list: for each scope its items, or the warning that there are none.
struct AggregatedPage<Places: ScopedItems>: ListPage {
  var items: [String: Places]?
  var unreachables: [String]?
  var nextPageToken: String?
}

protocol ScopedItems: Decodable, Sendable {
  associatedtype Item: Hashable & Sendable
  var scopedItems: [Item]? { get }
  var warning: ComputeOperation.Warning? { get }
}

extension AggregatedList {
  init<Places: ScopedItems>(_ pages: [AggregatedPage<Places>]) where Places.Item == Item {
    var items: [Item] = []
    var unreachable: Set<String> = []
    for page in pages {
      unreachable.formUnion(page.unreachables ?? [])
      for (scope, places) in (page.items ?? [:]).sorted(by: { $0.key < $1.key }) {
        items += places.scopedItems ?? []
        if places.warning?.code == "UNREACHABLE" { unreachable.insert(scope) }
      }
    }
    self.init(items: items, unreachable: unreachable.sorted())
  }
}
