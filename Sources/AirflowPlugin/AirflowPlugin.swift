internal import CAirflowPlugin

/// The Airflow plugin: one Python file, put together from the parts in `Python/`, which this binary carries.
package struct AirflowPlugin: Sendable {
  /// Of the dagrun that writes it, and of the border between the two (`dagrun version -o json`): the plugin refuses a
  /// binary that speaks another protocol.
  package var version: String
  package var protocolNumber: Int
  /// A name that the plugin looks up in PATH, or an absolute path.
  package var binary: String

  package init(version: String, protocolNumber: Int, binary: String = "dagrun") {
    self.version = version
    self.protocolNumber = protocolNumber
    self.binary = binary
  }

  /// What is wrong with a name or path for the binary; nil: nothing.
  package static func problem(withBinary binary: String) -> String? {
    if binary.isEmpty { return "the binary has no name" }
    if binary.unicodeScalars.contains("\0") { return "the binary's path has a NUL in it" }
    // Airflow's processes start in folders of their own.
    if binary.contains("/") && !binary.hasPrefix("/") {
      return "'\(binary)' is a relative path: name the binary by an absolute one, or by a name in the workers' PATH"
    }
    return nil
  }

  /// The file.
  package var text: String {
    """
    # Written by 'dagrun airflow-plugin' of dagrun \(version) (protocol \(protocolNumber)). Do not edit: write it again.

    """ + Self.parts.map { filled(Self.trimmed($0.text)) }.joined(separator: "\n\n\n") + "\n"
  }

  /// The parts in the order of the file.
  static let parts: [(name: String, text: String)] = (0..<cairflow_plugin_part_count()).map { index in
    let part = cairflow_plugin_part_at(index)
    let bytes = UnsafeBufferPointer(start: part.bytes, count: part.size)
    return (String(cString: part.name), String(decoding: bytes, as: UTF8.self))
  }

  /// Without empty lines at its ends: two of them stand between parts.
  private static func trimmed(_ text: String) -> Substring {
    var rest = text.drop { $0 == "\n" }
    while rest.last == "\n" { rest.removeLast() }
    return rest
  }

  /// Placeholders stand inside of string literals ("@VERSION@") or for a number; what was put in is not looked at
  /// again.
  private func filled(_ template: Substring) -> String {
    let values = ["VERSION": version, "PROTOCOL": "\(protocolNumber)", "BINARY": Self.escaped(binary)]
    var text = ""
    var rest = template
    while let start = rest.firstIndex(of: "@") {
      text += rest[..<start]
      rest = rest[start...]
      let name = rest.dropFirst().prefix { $0 != "@" && !$0.isNewline }
      if let value = values[String(name)], name.endIndex < rest.endIndex, rest[name.endIndex] == "@" {
        text += value
        rest = rest[rest.index(after: name.endIndex)...]
      } else {
        text += "@"
        rest = rest.dropFirst()
      }
    }
    return text + rest
  }

  /// For the inside of a Python literal in quotation marks.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\", "\"": escaped += "\\\(scalar)"
      case "\n": escaped += "\\n"
      default:
        // Control characters and what Python takes for the end of a line.
        let isPlain = scalar.value >= 0x20 && scalar.value != 0x7f && !(0x80...0x9f).contains(scalar.value)
        if isPlain && scalar.value != 0x2028 && scalar.value != 0x2029 {
          escaped.unicodeScalars.append(scalar)
        } else {
          let digits = String(scalar.value, radix: 16)
          escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      }
    }
    return escaped
  }
}
