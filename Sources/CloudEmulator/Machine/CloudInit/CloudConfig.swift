internal import Foundation
internal import Yams

/// User-data, as far as cloud-init would understand it and a VM of ours does.
enum UserData: Equatable {
  case cloudConfig(CloudConfig)
  /// `#!...`: executed at the end of the boot.
  case script(String)
  /// As on a real VM, that is no reason not to boot.
  case invalid(String)

  init(_ text: String) {
    let firstLine = text.prefix { $0 != "\n" && $0 != "\r\n" }
    if firstLine.hasPrefix("#!") {
      self = .script(text)
    } else if firstLine.trimmingCharacters(in: .whitespaces) == "#cloud-config" {
      do {
        self = .cloudConfig(try CloudConfig(yaml: text))
      } catch {
        self = .invalid("not YAML: \(error)")
      }
    } else {
      self = .invalid("begins neither with #cloud-config nor with #!")
    }
  }
}

struct CloudConfig: Equatable {
  struct File: Equatable {
    enum Encoding: Equatable { case text, base64, gzip, gzipBase64 }

    var path: String
    var content: String
    var encoding: Encoding
    var permissions: UInt32
    var appends: Bool
    var isDeferred: Bool
  }

  var files: [File] = []
  /// Lines of a shell script each.
  var bootCommands: [String] = []
  var runCommands: [String] = []
  /// What was left out, and why.
  var notes: [String] = []

  init(yaml: String) throws {
    guard let root = try Yams.compose(yaml: yaml), !root.isEmptyScalar else { return }
    guard let mapping = root.mapping else { throw CloudConfigError(description: "the top level is not a mapping") }
    for (key, value) in mapping {
      switch key.string {
      case "write_files": readFiles(value)
      case "bootcmd": bootCommands = commands(value, "bootcmd")
      case "runcmd": runCommands = commands(value, "runcmd")
      default: notes.append("the key \(key.string ?? "?") is not emulated, and was ignored")
      }
    }
  }

  private mutating func readFiles(_ node: Node) {
    guard let entries = node.sequence else {
      notes.append("write_files is not a list, and was ignored")
      return
    }
    for (index, entry) in entries.enumerated() {
      guard let fields = entry.mapping, let path = fields["path"]?.string, path.hasPrefix("/") else {
        notes.append("write_files[\(index)] has no absolute path, and was ignored")
        continue
      }
      for (key, _) in fields where !Self.fileKeys.contains(key.string ?? "") {
        notes.append("write_files[\(index)] (\(path)): \(key.string ?? "?") is not emulated, and was ignored")
      }
      if let owner = fields["owner"]?.string, owner != "root:root", owner != "root" {
        notes.append("\(path): owner \(owner) was ignored: all files of this VM are root's")
      }
      let (permissions, note) = Self.permissions(fields["permissions"])
      if let note { notes.append("\(path): \(note)") }
      var encoding = File.Encoding.text
      switch fields["encoding"]?.string?.lowercased() {
      case nil, "", "text/plain": encoding = fields["content"]?.tag == Tag(.binary) ? .base64 : .text
      case "b64", "base64": encoding = .base64
      case "gz", "gzip": encoding = .gzip
      case "gz+b64", "gz+base64", "gzip+b64", "gzip+base64": encoding = .gzipBase64
      case let other?: notes.append("\(path): the encoding \(other) is unknown, and was taken for text/plain")
      }
      files.append(
        File(
          path: path, content: fields["content"]?.string ?? "", encoding: encoding, permissions: permissions,
          appends: fields["append"]?.bool ?? false, isDeferred: fields["defer"]?.bool ?? false))
    }
  }

  private static let fileKeys: Set<String> = [
    "path", "content", "encoding", "permissions", "owner", "append", "defer",
  ]

  /// A string is octal. A number was read by YAML before cloud-init sees it, and is taken as it is.
  private static func permissions(_ node: Node?) -> (UInt32, note: String?) {
    let standard: UInt32 = 0o644
    guard let scalar = node?.scalar else { return (standard, nil) }
    let digits = scalar.string.hasPrefix("0o") ? scalar.string.dropFirst(2) : scalar.string[...]
    guard let octal = UInt32(digits, radix: 8), octal <= 0o7777 else {
      return (standard, "the permissions \(scalar.string) are not octal, and were taken for 0644")
    }
    if scalar.style != .plain || scalar.string.hasPrefix("0") { return (octal, nil) }
    return (UInt32(scalar.string) ?? standard, "the permissions \(scalar.string) are not quoted: a decimal number")
  }

  /// A list is a command's words, a string is shell.
  private mutating func commands(_ node: Node, _ key: String) -> [String] {
    guard let items = node.sequence else {
      notes.append("\(key) is not a list, and was ignored")
      return []
    }
    return items.enumerated().compactMap { index, item in
      if let words = item.sequence, words.allSatisfy({ $0.scalar != nil }) {
        return words.map { shellQuoted($0.string ?? "") }.joined(separator: " ")
      }
      if let text = item.scalar?.string { return text }
      notes.append("\(key)[\(index)] is neither a string nor a list of strings, and was ignored")
      return nil
    }
  }
}

struct CloudConfigError: Error, CustomStringConvertible { var description: String }

extension Node {
  fileprivate var isEmptyScalar: Bool { scalar?.string.isEmpty ?? false }
}
