/// Where a resource of Compute Engine lives.
package enum Scope: Codable, Hashable, Sendable {
  case zone(String)
  case region(String)
  case global

  /// Below `projects/P/`: `zones/europe-west1-b`.
  package var path: String {
    switch self {
    case .zone(let zone): "zones/\(CloudPath.encoded(zone))"
    case .region(let region): "regions/\(CloudPath.encoded(region))"
    case .global: "global"
    }
  }

  /// The zone's region: its name without the last part.
  package var region: String? {
    switch self {
    case .zone(let zone): Self.region(of: zone)
    case .region(let region): region
    case .global: nil
    }
  }

  package static func region(of zone: String) -> String {
    zone.lastIndex(of: "-").map { String(zone[..<$0]) } ?? zone
  }

  /// From `zones/europe-west1-b` or a whole link that contains it; global when it names neither a zone nor a region.
  package init(link: String) {
    let parts = link.split(separator: "/").map(String.init)
    if let index = parts.firstIndex(of: "zones"), index + 1 < parts.count {
      self = .zone(parts[index + 1])
    } else if let index = parts.firstIndex(of: "regions"), index + 1 < parts.count {
      self = .region(parts[index + 1])
    } else {
      self = .global
    }
  }
}

extension Scope: CustomStringConvertible {
  package var description: String { path }
}

/// The last part of a link: Google answers with whole URLs where a name was given.
package func resourceName(ofLink link: String) -> String {
  link.split(separator: "/").last.map(String.init) ?? link
}
