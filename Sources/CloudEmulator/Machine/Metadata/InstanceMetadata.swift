internal import Foundation

/// What the metadata server of one VM knows. Values as Compute Engine has them:
/// https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys
struct InstanceMetadata: Sendable {
  var machine: VirtualMachineDescription
  var isPreempted = false

  init(_ machine: VirtualMachineDescription) { self.machine = machine }

  /// A value, or a folder of them. Tokens are asked for apart.
  indirect enum Entry: Equatable {
    case text(String)
    /// Is a number or true or false in JSON.
    case literal(String)
    case list([String])
    /// - Parameter keepsKeys: names are a person's, and stay as they are in JSON.
    case folder([String: Entry], keepsKeys: Bool = false)
    case token
  }

  var root: Entry { .folder(["instance": instance, "project": project]) }

  private var project: Entry {
    .folder([
      "project-id": .text(machine.project), "numeric-project-id": .literal(String(machine.projectNumber)),
      "attributes": .folder(machine.projectMetadata.mapValues(Entry.text), keepsKeys: true),
    ])
  }

  private var instance: Entry {
    .folder([
      "id": .literal(String(machine.id)), "name": .text(machine.name),
      "zone": .text("projects/\(machine.projectNumber)/zones/\(machine.zone)"),
      "machine-type": .text("projects/\(machine.projectNumber)/machineTypes/\(machine.machineType)"),
      "hostname": .text("\(machine.name).\(machine.zone).c.\(machine.project).internal"),
      "attributes": .folder(machine.metadata.mapValues(Entry.text), keepsKeys: true),
      "preempted": .text(isPreempted ? "TRUE" : "FALSE"), "maintenance-event": .text("NONE"),
      "scheduling": .folder([
        "automatic-restart": .text("FALSE"), "on-host-maintenance": .text(machine.isSpot ? "TERMINATE" : "MIGRATE"),
        "preemptible": .text(machine.isSpot ? "TRUE" : "FALSE"),
      ]),
      "service-accounts": .folder(["default": account, email: account], keepsKeys: true),
      "cpu-platform": .text("Emulated"), "description": .text(""), "image": .text(""), "tags": .list([]),
    ])
  }

  private var account: Entry {
    .folder([
      "aliases": .list(["default"]), "email": .text(email), "scopes": .list(machine.scopes), "token": .token,
    ])
  }

  /// The account that is not named is the project's own.
  private var email: String {
    ["", "default"].contains(machine.serviceAccount)
      ? "\(machine.projectNumber)-compute@developer.gserviceaccount.com" : machine.serviceAccount
  }

  /// - Parameter path: below `/computeMetadata/v1/`.
  func entry(_ path: String) -> Entry? {
    var entry = root
    for name in path.split(separator: "/") {
      guard case .folder(let entries, _) = entry, let next = entries[String(name)] else { return nil }
      entry = next
    }
    return entry
  }
}

extension InstanceMetadata.Entry {
  /// As it is shown by itself: lists and folders have a line for each.
  var text: String {
    switch self {
    case .text(let text), .literal(let text): text
    case .list(let items): items.map { $0 + "\n" }.joined()
    case .token: ""
    case .folder(let entries, _):
      entries.sorted { $0.key < $1.key }.map { name, entry in
        if case .folder = entry { "\(name)/\n" } else { "\(name)\n" }
      }.joined()
    }
  }

  /// `?recursive=true`: names in camel case, without tokens.
  var json: String {
    switch self {
    case .text(let text): Self.quoted(text)
    case .literal(let text): text
    case .list(let items): "[" + items.map(Self.quoted).joined(separator: ",") + "]"
    case .token: "null"
    case .folder(let entries, let keepsKeys):
      "{"
        + entries.sorted { $0.key < $1.key }.filter { $0.value != .token }.map { name, entry in
          Self.quoted(keepsKeys ? name : Self.camelCase(name)) + ":" + entry.json
        }.joined(separator: ",") + "}"
    }
  }

  private static func camelCase(_ name: String) -> String {
    let words = name.split(separator: "-")
    return words.dropFirst().reduce(String(words.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
  }

  private static func quoted(_ text: String) -> String {
    let options: JSONSerialization.WritingOptions = [.fragmentsAllowed, .withoutEscapingSlashes]
    guard let data = try? JSONSerialization.data(withJSONObject: text, options: options) else { return "\"\"" }
    return String(decoding: data, as: UTF8.self)
  }
}
