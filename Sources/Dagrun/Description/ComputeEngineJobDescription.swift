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

/// The machine and the image of a Compute Engine job.
public struct JobConfig: Codable, Hashable, Sendable {
  package var project: String
  package var image: String
  package var machineType: String
  package var isSpot = false
  package var zones: [String] = []

  public init(project: String, image: String, machineType: String = "n1-standard-4") {
    self.project = project
    self.image = image
    self.machineType = machineType
  }

  /// Takes Spot capacity, which costs less and may be preempted.
  public func spot() -> JobConfig {
    var copy = self
    copy.isSpot = true
    return copy
  }

  /// The zones to try, in this order.
  public func zones(_ zones: String...) -> JobConfig {
    var copy = self
    copy.zones = zones
    return copy
  }
}
