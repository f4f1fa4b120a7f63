import Foundation

extension ComputeClient {
  package func instance(named name: String, zone: String) async throws(CloudError) -> Instance {
    try await transport.answer(
      Instance.self,
      to: CloudRequest(
        .compute, .get, path(.zone(zone), "instances", name), operation: "read instance", subject: name))
  }

  package func deleteInstance(
    named name: String, zone: String, requestID: RequestID
  ) async throws(CloudError) -> ComputeOperation {
    try await transport.answer(
      ComputeOperation.self,
      to: mutation(
        .delete, path(.zone(zone), "instances", name), requestID: requestID, operation: "delete instance",
        subject: name))
  }

  /// The instances of one zone.
  package func instances(zone: String, _ filter: ComputeFilter? = nil) async throws(CloudError) -> [Instance] {
    let request = list(
      path(.zone(zone), "instances"), filter: filter, operation: "list instances of", subject: zone)
    return try await transport.pages(ItemPage<Instance>.self, of: request).flatMap { $0.items ?? [] }
  }

  /// The instances of all zones.
  package func allInstances(_ filter: ComputeFilter? = nil) async throws(CloudError) -> AggregatedList<Instance> {
    let request = list(
      aggregatedPath("instances"), filter: filter, operation: "list instances of", subject: project)
    return AggregatedList(try await transport.pages(AggregatedPage<ScopedInstances>.self, of: request))
  }

  /// What the VM wrote to its console: cloud-init's and the kernel's last words.
  ///
  /// - Parameter start: the `next` of the piece before; 0 for what is kept (the newest 1 MB); negative: so many bytes
  ///   of the end.
  package func serialPortOutput(
    ofInstance name: String, zone: String, start: Int64 = 0
  ) async throws(CloudError) -> SerialPortOutput {
    var request = CloudRequest(
      .compute, .get, path(.zone(zone), "instances", name, "serialPort"), operation: "read serial console of instance",
      subject: name)
    request.query = [URLQueryItem(name: "port", value: "1"), URLQueryItem(name: "start", value: String(start))]
    return try await transport.answer(SerialPortOutput.self, to: request)
  }

  /// The newest image of a family that is not deprecated.
  ///
  /// - Parameter project: whose image it is: `cos-cloud`.
  package func image(family: String, project: String) async throws(CloudError) -> Image {
    try await transport.answer(
      Image.self,
      to: CloudRequest(
        .compute, .get, CloudPath.joined("projects", project, "global", "images", "family", family),
        operation: "find image of family", subject: "\(project)/\(family)"))
  }

  package func image(named name: String, project: String) async throws(CloudError) -> Image {
    try await transport.answer(
      Image.self,
      to: CloudRequest(
        .compute, .get, CloudPath.joined("projects", project, "global", "images", name), operation: "read image",
        subject: "\(project)/\(name)"))
  }
}

private struct ScopedInstances: ScopedItems {
  var instances: [Instance]?
  var warning: ComputeOperation.Warning?
  var scopedItems: [Instance]? { instances }
}
