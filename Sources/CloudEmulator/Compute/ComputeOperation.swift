internal import Foundation

/// Where a resource lives.
enum ComputeScope: Hashable, Sendable {
  case global
  case zone(String)
  case region(String)

  /// `zones/europe-west1-b`
  var path: String {
    switch self {
    case .global: "global"
    case .zone(let zone): "zones/\(zone)"
    case .region(let region): "regions/\(region)"
    }
  }
}

/// A change that takes its time.
///
/// An operation moves:  pending -> running -> done.  What it changes is checked when it is asked for, and changes
/// when it has run: a template is there, a group begins to make its VMs, when its `insert` is done.
struct ComputeOperation: Sendable {
  var project: String
  var scope: ComputeScope
  var name: String
  var id: UInt64
  /// `insert`, `delete`, …
  var type: String
  /// `projects/p/…` of what it is about.
  var target: String
  var targetID: UInt64
  var insertTime: Date
  var startTime: Date?
  var endTime: Date?
  var status = Status.pending
  var work: Work
  /// Project and requestId of what has asked for it.
  var requestKey: String?
  /// Said in the place of doing it.
  var error: ComputeError?

  enum Status: String, Sendable { case pending = "PENDING", running = "RUNNING", done = "DONE" }

  /// What it does when its time has come.
  enum Work: Sendable {
    case nothing
    case insertTemplate(String, JSON)
    case deleteTemplate(String)
    case insertGroup(InstanceGroup)
    case deleteGroup(String)
    case resizeGroup(String, Int)
    case deleteGroupInstances(String, [String])
    case deleteInstance(String)
    case stopInstance(String)
  }

  var path: String { "projects/\(project)/\(scope.path)/operations/\(name)" }
}

/// What is said in an operation, in `lastAttempt` and by listErrors.
struct ComputeError: Hashable, Sendable {
  /// Upper case: `ZONE_RESOURCE_POOL_EXHAUSTED`.
  var code: String
  var message: String

  var json: JSON { ["code": .string(code), "message": .string(message)] }
}
