extension ComputeClient {
  /// - Throws: `.alreadyExists` when there is one with the name.
  package func insertInstanceTemplate(
    _ template: InstanceTemplate, requestID: RequestID
  ) async throws(CloudError) -> ComputeOperation {
    let request = try mutation(
      .post, path(.global, "instanceTemplates"), requestID: requestID, operation: "insert instance template",
      subject: template.name
    ).withBody(template)
    return try await transport.answer(ComputeOperation.self, to: request)
  }

  package func instanceTemplate(named name: String) async throws(CloudError) -> InstanceTemplate {
    try await transport.answer(
      InstanceTemplate.self,
      to: CloudRequest(
        .compute, .get, path(.global, "instanceTemplates", name), operation: "read instance template", subject: name))
  }

  /// - Throws: `.inUse` while a group uses it.
  package func deleteInstanceTemplate(
    named name: String, requestID: RequestID
  ) async throws(CloudError) -> ComputeOperation {
    try await transport.answer(
      ComputeOperation.self,
      to: mutation(
        .delete, path(.global, "instanceTemplates", name), requestID: requestID,
        operation: "delete instance template", subject: name))
  }

  package func instanceTemplates(_ filter: ComputeFilter? = nil) async throws(CloudError) -> [InstanceTemplate] {
    let request = list(
      path(.global, "instanceTemplates"), filter: filter, operation: "list instance templates of", subject: project)
    return try await transport.pages(ItemPage<InstanceTemplate>.self, of: request).flatMap { $0.items ?? [] }
  }
}
