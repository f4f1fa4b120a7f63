internal import Foundation

/// What gcloud keeps in its folder: `CLOUDSDK_CONFIG`, or `~/.config/gcloud`.
struct GcloudConfiguration: Sendable {
  private let world: CloudEnvironment

  init(_ world: CloudEnvironment) { self.world = world }

  var folder: String {
    if let folder = world.variable("CLOUDSDK_CONFIG") { return folder }
    let home = world.variable("HOME") ?? FileManager.default.homeDirectoryForCurrentUser.path
    return "\(home)/.config/gcloud"
  }

  var credentialsFile: String { "\(folder)/application_default_credentials.json" }

  /// `[core] project` of the configuration in use, unless `CLOUDSDK_CORE_PROJECT` stands over it.
  var project: String? {
    if let project = world.variable("CLOUDSDK_CORE_PROJECT") { return project }
    let name = world.variable("CLOUDSDK_ACTIVE_CONFIG_NAME") ?? text("active_config") ?? "default"
    guard !name.contains("/"), let file = text("configurations/config_\(name)") else { return nil }
    return Self.value("project", section: "core", in: file)
  }

  private func text(_ name: String) -> String? {
    guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) else { return nil }
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    return trimmed.isEmpty ? nil : trimmed
  }

  /// Reads an INI file.
  static func value(_ name: String, section: String, in file: String) -> String? {
    var current = ""
    for line in file.split(whereSeparator: \.isNewline) {
      let line = line.trimmingCharacters(in: .whitespaces)
      if line.hasPrefix("#") || line.hasPrefix(";") { continue }
      if line.hasPrefix("["), line.hasSuffix("]") {
        current = String(line.dropFirst().dropLast())
      } else if current == section, let equals = line.firstIndex(where: { $0 == "=" || $0 == ":" }),
        line[..<equals].trimmingCharacters(in: .whitespaces) == name
      {
        let value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
        return value.isEmpty ? nil : value
      }
    }
    return nil
  }
}
