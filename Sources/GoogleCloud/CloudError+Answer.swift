extension CloudError {
  /// - Parameter answer: one whose status is not 2xx.
  package init(answer: CloudResponse, to request: CloudRequest) {
    self.init(.other, operation: request.operation, subject: request.subject, message: "status \(answer.status)")
  }

  /// The fault of an operation, of a group that cannot make its VM (`lastAttempt`), or of a group's `listErrors`.
  ///
  /// - Parameter faults: not empty.
  package init(_ faults: [ComputeFault], operation: String, subject: String, project: String? = nil) {
    self.init(.other, operation: operation, subject: subject, message: faults.first?.message ?? "")
  }
}
