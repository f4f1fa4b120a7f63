/// A container on a Google Compute Engine VM that lives only for one task.
package struct ComputeEngineJobDescription: Codable, Hashable, Sendable {
  package var job: JobConfig
  package var command: [Template]
  /// Directory in the container -> bucket path it is copied to at the end.
  package var outputs: [String: Template]

  package init(job: JobConfig, command: [Template], outputs: [String: Template]) {
    self.job = job
    self.command = command
    self.outputs = outputs
  }
}
