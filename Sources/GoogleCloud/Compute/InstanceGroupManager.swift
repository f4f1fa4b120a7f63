/// A managed instance group: makes VMs of a template, and keeps as many as it was told.
///
/// A group has no labels. What tells whose it is: its name, its template's labels, its `description`, and the labels it
/// adds to its VMs (`allInstancesConfig`).
package struct InstanceGroupManager: Codable, Hashable, Sendable {
  package var name: String
  package var description: String?
  /// At most 58 characters. A VM is called so, with a random end of four characters.
  package var baseInstanceName: String?
  /// `global/instanceTemplates/NAME`; a whole link in answers.
  package var instanceTemplate: String?
  package var targetSize: Int?
  package var instanceLifecyclePolicy: LifecyclePolicy?
  /// Only of regional groups.
  package var distributionPolicy: DistributionPolicy?
  package var updatePolicy: UpdatePolicy?
  package var allInstancesConfig: AllInstancesConfig?
  /// Lets a regional group choose among machine types.
  package var instanceFlexibilityPolicy: FlexibilityPolicy?
  /// Links, only in answers: one of them.
  package var zone: String?
  package var region: String?
  package var selfLink: String?
  package var creationTimestamp: String?
  package var status: Status?
  package var currentActions: [String: Int]?

  package init(name: String, baseInstanceName: String, instanceTemplate: String, targetSize: Int) {
    self.name = name
    self.baseInstanceName = baseInstanceName
    self.instanceTemplate = instanceTemplate
    self.targetSize = targetSize
  }

  /// nil when the answer names no place.
  package var scope: Scope? {
    if let zone { return .zone(resourceName(ofLink: zone)) }
    if let region { return .region(resourceName(ofLink: region)) }
    return selfLink.map(Scope.init(link:))
  }

  package struct LifecyclePolicy: Codable, Hashable, Sendable {
    package var defaultActionOnFailure: Action?
    package var forceUpdateOnRepair: String?
    package init(defaultActionOnFailure: Action?) { self.defaultActionOnFailure = defaultActionOnFailure }

    package struct Action: OpenValue {
      package let rawValue: String
      package init(rawValue: String) { self.rawValue = rawValue }
      package static let doNothing: Self = "DO_NOTHING"
      package static let `repair`: Self = "REPAIR"
    }
  }

  package struct DistributionPolicy: Codable, Hashable, Sendable {
    /// gcloud calls it `--target-distribution-shape`. All but EVEN need `updatePolicy.instanceRedistributionType` NONE.
    package var targetShape: Shape?
    package var zones: [Zone]?

    /// - Parameter zones: names of zones the group may use; nil for Google's choice.
    package init(targetShape: Shape?, zones: [String]? = nil) {
      self.targetShape = targetShape
      self.zones = zones?.map { Zone(zone: "zones/\($0)") }
    }

    package struct Zone: Codable, Hashable, Sendable {
      package var zone: String?
      package init(zone: String?) { self.zone = zone }
    }

    package struct Shape: OpenValue {
      package let rawValue: String
      package init(rawValue: String) { self.rawValue = rawValue }
      package static let any: Self = "ANY"
      package static let anySingleZone: Self = "ANY_SINGLE_ZONE"
      package static let balanced: Self = "BALANCED"
      package static let even: Self = "EVEN"
    }
  }

  package struct UpdatePolicy: Codable, Hashable, Sendable {
    /// `NONE` or `PROACTIVE`.
    package var instanceRedistributionType: String?
    /// `OPPORTUNISTIC` or `PROACTIVE`.
    package var type: String?
    package init(instanceRedistributionType: String?, type: String? = nil) {
      self.instanceRedistributionType = instanceRedistributionType
      self.type = type
    }
  }

  package struct AllInstancesConfig: Codable, Hashable, Sendable {
    package var properties: Properties?
    package init(labels: [String: String]?) { properties = Properties(labels: labels) }

    package struct Properties: Codable, Hashable, Sendable {
      package var labels: [String: String]?
      package var metadata: [String: String]?
      package init(labels: [String: String]?, metadata: [String: String]? = nil) {
        self.labels = labels
        self.metadata = metadata
      }
    }
  }

  package struct FlexibilityPolicy: Codable, Hashable, Sendable {
    package var instanceSelections: [String: Selection]?
    package init(instanceSelections: [String: Selection]?) { self.instanceSelections = instanceSelections }

    package struct Selection: Codable, Hashable, Sendable {
      package var machineTypes: [String]?
      /// Lower is preferred.
      package var rank: Int?
      package init(machineTypes: [String]?, rank: Int?) {
        self.machineTypes = machineTypes
        self.rank = rank
      }
    }
  }

  package struct Status: Codable, Hashable, Sendable {
    package var isStable: Bool?
    package init(isStable: Bool? = nil) { self.isStable = isStable }
  }
}
