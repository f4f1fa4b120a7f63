import ArgumentParser
import Foundation

/// The command tree, as the argument parser dumps it (`--experimental-dump-help`).
struct ToolDescription: Decodable {
  var command: CommandDescription

  static func ofThisTool() throws -> ToolDescription {
    try JSONDecoder().decode(ToolDescription.self, from: Data(RootCommand._dumpHelp().utf8))
  }

  struct CommandDescription: Decodable {
    var commandName: String
    var superCommands: [String]?
    var shouldDisplay: Bool?
    var abstract: String?
    var discussion: String?
    var defaultSubcommand: String?
    var subcommands: [CommandDescription]?
    var arguments: [ArgumentDescription]?

    /// `dagrun dags list`
    var path: String { ((superCommands ?? []) + [commandName]).joined(separator: " ") }

    /// Shown subcommands; `help` describes itself.
    var shownSubcommands: [CommandDescription] {
      (subcommands ?? []).filter { $0.shouldDisplay != false && $0.commandName != "help" }
    }

    /// Every shown command below and with this one, parents first.
    var all: [CommandDescription] { [self] + shownSubcommands.flatMap(\.all) }

    /// `--help` and `--version` are the same everywhere.
    var shownArguments: [ArgumentDescription] {
      (arguments ?? []).filter { $0.shouldDisplay && !["help", "version"].contains($0.preferredName?.name) }
    }

    /// `dagrun trigger <dag> [-c <json>] …`
    var synopsis: String {
      let sorted = shownArguments.filter { $0.kind == "positional" } + shownArguments.filter { $0.kind != "positional" }
      return ([path] + (shownSubcommands.isEmpty ? [] : ["<subcommand>"]) + sorted.map(\.synopsis)).joined(
        separator: " ")
    }
  }

  struct ArgumentDescription: Decodable {
    var kind: String
    var shouldDisplay: Bool
    var isOptional: Bool
    var isRepeating: Bool
    var names: [Name]?
    var preferredName: Name?
    var valueName: String?
    var defaultValue: String?
    var allValues: [String]?
    var abstract: String?

    struct Name: Decodable {
      var kind: String
      var name: String

      var text: String { kind == "long" ? "--\(name)" : "-\(name)" }
    }

    var value: String {
      if let allValues, allValues.count <= 5 { return allValues.joined(separator: "|") }
      return "<\(valueName ?? "value")>"
    }

    var synopsis: String {
      var text = kind == "positional" ? "<\(valueName ?? "value")>" : preferredName?.text ?? ""
      if kind == "option" { text += " " + value }
      if isRepeating { text += " ..." }
      return isOptional ? "[\(text)]" : text
    }

    /// `-o, --output table|json|yaml|plain`
    var label: String {
      guard kind != "positional" else { return "<\(valueName ?? "value")>" }
      let shortFirst = (names ?? []).sorted { ($0.name.count > 1 ? 1 : 0) < ($1.name.count > 1 ? 1 : 0) }
      let text = shortFirst.map(\.text).joined(separator: ", ")
      return kind == "option" ? "\(text) \(value)" : text
    }

    var explanation: String {
      let text = abstract ?? ""
      guard let defaultValue, kind == "option", !text.contains("default:") else { return text }
      return "\(text) (default: \(defaultValue))"
    }
  }
}
