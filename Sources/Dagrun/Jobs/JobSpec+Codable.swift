package import Foundation

// As the operator's arguments: the job's config in `job`, beside it what runs and with which data. `command` is a text
// (a script) or a list (a program and its arguments); `script_file` names a file, whose contents come along.

extension JobSpec: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case job, command
    case scriptFile = "script_file"
    case scriptContents = "script_contents"
    case scriptBase64 = "script_base64"
    case arguments, environment, mounts, outputs
    case timeoutSeconds = "timeout_seconds"
  }

  package init(from decoder: any Decoder) throws {
    let reader = try KeyedReader(decoder, keys: Key.self)
    let expected = "an object with the job's project, image and machine"
    let config: JobConfig
    if decoder.userInfo[.isCompletedLater] as? Bool == true {
      config = try reader.read(.job, expected) ?? JobConfig(project: "", image: "")
    } else {
      config = try reader.require(.job, expected)
    }
    self.init(
      config: config,
      command: try Self.command(reader, readFile: decoder.userInfo[.readsScriptFiles] as? ScriptFileReader))
    let map = "a map of text to text"
    environment = try reader.read(.environment, map) ?? [:]
    mounts = try reader.read(.mounts, "\(map): bucket/path -> directory") ?? [:]
    outputs = try reader.read(.outputs, "\(map): directory -> bucket/path") ?? [:]
    timeoutSeconds = try reader.read(.timeoutSeconds, "a number of seconds")
  }

  private static func command(_ reader: KeyedReader<Key>, readFile: ScriptFileReader?) throws -> JobCommand {
    guard let name = try reader.read(.scriptFile, as: String.self, "the path of a script") else {
      for key in [Key.scriptContents, .scriptBase64, .arguments] where reader.has(key) {
        throw reader.problem(key, "belongs to a script_file, and there is none")
      }
      switch try reader.read(.command, as: TextOrList.self, "a text (a script) or a list (a program, its arguments)") {
      case nil: return .image
      case .text(let script): return .script(script)
      case .list(let arguments): return .arguments(arguments)
      }
    }
    if reader.has(.command) { throw reader.problem(.command, "give command or script_file, not both") }
    let arguments = try reader.read(.arguments, as: [String].self, "a list of texts") ?? []
    let contents: Data
    if let text = try reader.read(.scriptContents, as: String.self, "the script") {
      contents = Data(text.utf8)
    } else if let base64 = try reader.read(.scriptBase64, as: Data.self, "the script in base64") {
      contents = base64
    } else if let readFile {
      do {
        contents = try readFile(name)
      } catch {
        throw reader.problem(.scriptFile, "\(error)")
      }
    } else {
      throw reader.problem(.scriptFile, "its contents are missing: give script_contents or script_base64 too")
    }
    let baseName = name.split(separator: "/").last.map(String.init) ?? name
    return .file(name: baseName, contents: contents, arguments: arguments)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(config, forKey: .job)
    switch command {
    case .image: break
    case .arguments(let arguments): try container.encode(arguments, forKey: .command)
    case .script(let script): try container.encode(script, forKey: .command)
    case .file(let name, let contents, let arguments):
      try container.encode(name, forKey: .scriptFile)
      if let text = String(validating: contents, as: UTF8.self) {
        try container.encode(text, forKey: .scriptContents)
      } else {
        try container.encode(contents, forKey: .scriptBase64)
      }
      if !arguments.isEmpty { try container.encode(arguments, forKey: .arguments) }
    }
    if !environment.isEmpty { try container.encode(environment, forKey: .environment) }
    if !mounts.isEmpty { try container.encode(mounts, forKey: .mounts) }
    if !outputs.isEmpty { try container.encode(outputs, forKey: .outputs) }
    try container.encodeIfPresent(timeoutSeconds, forKey: .timeoutSeconds)
  }
}

/// Gives the contents of a script file that a spec names; what it throws is shown to a person.
package typealias ScriptFileReader = @Sendable (String) throws -> Data

extension CodingUserInfoKey {
  /// A `ScriptFileReader`, for specs whose scripts lie beside them. Without one a spec has to have its script inside.
  /// Project and image may be missing, and are empty then: whoever reads knows them from elsewhere, or asks for them.
  package static let isCompletedLater = CodingUserInfoKey(rawValue: "dagrun.completed-later")!
  package static let readsScriptFiles = CodingUserInfoKey(rawValue: "dagrun.script-files")!
}

private enum TextOrList: Decodable {
  case text(String)
  case list([String])

  init(from decoder: any Decoder) throws {
    // A list first: a text is what else a single value can be.
    if let list = try? [String](from: decoder) {
      self = .list(list)
    } else {
      self = .text(try decoder.singleValueContainer().decode(String.self))
    }
  }
}
