internal import Foundation

/// A managed instance group.
struct InstanceGroup: Sendable {
  var project: String
  var scope: ComputeScope
  var name: String
  var id: UInt64
  /// As it was asked for.
  var body: JSON
  /// `projects/p/global/instanceTemplates/t`
  var template: String
  var baseInstanceName: String
  var targetSize: Int
  var createdAt: Date
  /// By name.
  var members: [String: GroupMember] = [:]
  /// Newest last; the latest thousand.
  var errors: [GroupError] = []
  /// The operation that deletes it: set once that runs.
  var deletion: String?

  var path: String { "projects/\(project)/\(scope.path)/instanceGroupManagers/\(name)" }
  /// Of the group that it manages.
  var groupPath: String { "projects/\(project)/\(scope.path)/instanceGroups/\(name)" }

  var repairs: Bool { body["instanceLifecyclePolicy"]["defaultActionOnFailure"].text != "DO_NOTHING" }

  /// Where its VMs may be, the first ones first.
  var zones: [String] {
    switch scope {
    case .zone(let zone): return [zone]
    case .region(let region):
      let asked = body["distributionPolicy"]["zones"].elements.compactMap(\.["zone"].text).map(ComputeNames.lastPart)
      return asked.isEmpty ? ComputeCatalog.zonesByRegion[region] ?? [] : asked
    case .global: return []
    }
  }

  /// ANY takes whatever zone has capacity; the others insist on theirs.
  var takesAnyZone: Bool {
    ["ANY", "ANY_SINGLE_ZONE", "BALANCED"].contains(
      body["distributionPolicy"]["targetShape"].text ?? "EVEN")
  }

  /// The machine types it may choose among, the best first; nil: its template's.
  var machineTypes: [String]? {
    let selections = body["instanceFlexibilityPolicy"]["instanceSelections"].fields
    guard !selections.isEmpty else { return nil }
    return selections.sorted { ($0.value["rank"].whole ?? 0, $0.key) < ($1.value["rank"].whole ?? 0, $1.key) }
      .flatMap { $0.value["machineTypes"].elements.compactMap(\.text) }
  }
}

/// A place in a group, with or without a VM in it.
struct GroupMember: Sendable {
  var name: String
  var zone: String
  /// Of the instance in it; nil while there is none.
  var instance: UInt64?
  var phase: Phase
  /// Why the latest attempt to make its VM failed.
  var lastError: ComputeError?
  var attempts = 0

  /// creating -> settled; settled -> recreating -> settled; anything -> deleting.
  enum Phase: Sendable, Hashable {
    /// Its VM is wanted, and not there yet.
    case creating
    /// Its VM is there, or is gone and nobody repairs it.
    case settled
    case recreating
    case deleting
  }
}

struct GroupError: Sendable {
  var instance: String
  var action: String
  var error: ComputeError
  var time: Date
}
