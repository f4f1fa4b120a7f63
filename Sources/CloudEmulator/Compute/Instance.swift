internal import Foundation

/// A VM of Compute Engine.
///
/// An instance moves:  PROVISIONING -> STAGING -> RUNNING -> STOPPING -> TERMINATED | gone
struct Instance: Sendable {
  var project: String
  var zone: String
  var name: String
  var id: UInt64
  var machineType: String
  /// The template's, with what its group has added.
  var properties: JSON
  var metadata: [String: String]
  /// `projects/p/…/instanceGroupManagers/g`
  var group: String
  var createdAt: Date
  var startedAt: Date?
  var stoppedAt: Date?
  var status = Status.provisioning
  /// The host was told to boot it, and has not said that it ended.
  var hasMachine = false
  /// Its system was up once.
  var hasBooted = false
  /// Why it stops; nil while nobody has asked for it.
  var ending: Ending?
  /// The operation that makes it: done when it is RUNNING, or gone before.
  var insertion: String?
  /// Operations that are done when it has ended.
  var awaiting: [String] = []

  enum Status: String, Sendable, Hashable {
    case provisioning = "PROVISIONING"
    case staging = "STAGING"
    case running = "RUNNING"
    case stopping = "STOPPING"
    case terminated = "TERMINATED"
  }

  enum Ending: Sendable, Hashable {
    /// By its group, or somebody: it is gone afterwards.
    case deleted
    case stopped
    case preempted
    case outlived
  }

  var path: String { "projects/\(project)/zones/\(zone)/instances/\(name)" }
  var isSpot: Bool {
    properties["scheduling"]["provisioningModel"].text == "SPOT"
      || properties["scheduling"]["preemptible"].flag == true
  }
  var maxRunSeconds: Double? {
    properties["scheduling"]["maxRunDuration"]["seconds"].whole.map(Double.init)
  }
  /// Whether it is gone when the cloud ends it, instead of TERMINATED.
  var isDeletedOnTermination: Bool { properties["scheduling"]["instanceTerminationAction"].text == "DELETE" }
}
