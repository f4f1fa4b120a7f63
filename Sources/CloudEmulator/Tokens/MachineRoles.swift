/// What the service accounts of VMs may do, by Google's roles as far as jobs need them. Everybody else may do
/// everything.
package struct MachineRoles: Hashable, Sendable {
  /// Without `roles/`.
  package let names: [String]
  /// Of Google's methods, `*` for anything.
  private let methods: [String]

  package struct Problem: Error, CustomStringConvertible { package let description: String }

  /// - Parameter text: `none`, or names with commas between them: `pubsub.publisher,roles/logging.logWriter`.
  package init(_ text: String) throws(Problem) {
    names =
      text == "none"
      ? [] : text.split(separator: ",").map { String($0.hasPrefix("roles/") ? $0.dropFirst(6) : $0) }
    var methods: [String] = []
    for name in names {
      guard let known = Self.known[name] else {
        throw Problem(
          description: "'\(name)' is not a role that the emulator knows: none, or some of "
            + Self.known.keys.sorted().joined(separator: ", "))
      }
      methods += known
    }
    guard !names.isEmpty || text == "none" else { throw Problem(description: "no role is named; none is a word") }
    self.methods = methods
  }

  func allow(_ method: String) -> Bool { methods.contains { isMatch($0, method) } }

  private static let known: [String: [String]] = [
    "pubsub.publisher": ["pubsub.projects.topics.publish"],
    "pubsub.editor": ["pubsub.*"],
    "compute.instanceAdmin.v1": ["compute.*"],
    "storage.objectViewer": ["storage.objects.get", "storage.objects.list"],
    "storage.objectUser": ["storage.objects.*"],
    "secretmanager.secretAccessor": ["secretmanager.projects.secrets.versions.access"],
    "logging.logWriter": ["logging.entries.write"],
    // It has all but the values of secrets.
    "editor": ["pubsub.*", "compute.*", "storage.*", "logging.*"],
  ]
}

extension APIFailure {
  /// In the words of the service.
  static func notAllowed(_ method: String, _ account: String) -> APIFailure {
    switch method.prefix(while: { $0 != "." }) {
    case "pubsub":
      return APIFailure(403, "forbidden", "User not authorized to perform this action.", code: "PERMISSION_DENIED")
    case "compute":
      // A region's groups have the permissions of groups.
      let permission = method.replacing("compute.regionInstanceGroupManagers", with: "compute.instanceGroupManagers")
      return APIFailure(403, "forbidden", "Required '\(permission)' permission for the resource")
    case "storage":
      return APIFailure(
        403, "forbidden",
        "\(account) does not have \(method) access to the Google Cloud Storage object. Permission '\(method)' denied on "
          + "resource (or it may not exist).")
    default:
      return APIFailure(
        403, "forbidden", "Permission '\(method)' denied on resource (or it may not exist).", code: "PERMISSION_DENIED")
    }
  }
}
