package import Foundation

/// What there is in the emulated cloud, and what has happened to it.
package struct Inventory: Codable, Hashable, Sendable {
  /// Full names: `projects/p/global/instanceTemplates/t`.
  package var instanceTemplates: [String] = []
  package var instanceGroupManagers: [String] = []
  package var instances: [InstanceRow] = []
  package var topics: [String] = []
  package var subscriptions: [SubscriptionRow] = []
  package var buckets: [String] = []
  /// `bucket/name`.
  package var objects: [ObjectRow] = []
  /// How many there ever were, by kind: `instanceTemplates`, `instanceGroupManagers`, `instances`, `topics`, …
  package var everMade: [String: Int] = [:]
  /// By Google's name of the method: `compute.instanceGroupManagers.insert`. Refused ones count too.
  package var requests: [String: Int] = [:]

  package init() {}

  package struct InstanceRow: Codable, Hashable, Sendable {
    /// `projects/p/zones/z/instances/i`
    package var name: String
    package var status: String
    package var machineType: String
    package var isSpot: Bool
    package var startedAt: Date?
  }

  package struct SubscriptionRow: Codable, Hashable, Sendable {
    package var name: String
    package var topic: String
    package var unacknowledged: Int
  }

  package struct ObjectRow: Codable, Hashable, Sendable {
    package var name: String
    package var bytes: Int
  }

  /// Nothing is left of any job: no template, group, instance, topic or subscription. Objects are results, and stay.
  package var isEmpty: Bool {
    instanceTemplates.isEmpty && instanceGroupManagers.isEmpty && instances.isEmpty && topics.isEmpty
      && subscriptions.isEmpty
  }
}
