package import Dagrun
package import GoogleCloud

/// What carries dagrun's labels in a project.
package struct JobInventory: Hashable, Sendable {
  package var resources: [JobResource]
  /// Places that could not be asked: what is there is not in `resources`.
  package var unreachable: [String]

  package init(resources: [JobResource], unreachable: [String] = []) {
    self.resources = resources
    self.unreachable = unreachable
  }
}

/// Something in the cloud that is some job's.
package struct JobResource: Hashable, Sendable {
  package var kind: Kind
  package var name: String
  /// By its labels.
  package var job: String
  package var homeID: String?
  /// Google does not say it of topics and subscriptions.
  package var createdAt: Timestamp?

  package init(_ kind: Kind, _ name: String, job: String, homeID: String?, createdAt: Timestamp? = nil) {
    self.kind = kind
    self.name = name
    self.job = job
    self.homeID = homeID
    self.createdAt = createdAt
  }

  /// In the order in which they are removed: a template only when no group uses it, and last, for it tells what the job
  /// was.
  package enum Kind: Hashable, Sendable {
    case group(Scope)
    /// One that no group has.
    case instance(zone: String)
    case template
    case subscription
    case topic

    package var order: Int {
      switch self {
      case .group: 0
      case .instance: 1
      case .subscription: 2
      case .topic: 3
      case .template: 4
      }
    }

    package var words: String {
      switch self {
      case .group: "instance group"
      case .instance: "instance"
      case .template: "instance template"
      case .subscription: "subscription"
      case .topic: "topic"
      }
    }

    /// Where it is; nil for what is everywhere.
    package var place: String? {
      switch self {
      case .group(.zone(let name)), .group(.region(let name)), .instance(let name): name
      case .group(.global), .template, .subscription, .topic: nil
      }
    }
  }
}

extension JobResource: CustomStringConvertible {
  package var description: String { "\(kind.words) \(name)" + (kind.place.map { " in \($0)" } ?? "") }
}
