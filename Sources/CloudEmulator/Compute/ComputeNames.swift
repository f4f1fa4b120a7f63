internal import Foundation

/// How Compute's resources are called, and what their names may be.
enum ComputeNames {
  /// Google's: `[a-z]([-a-z0-9]{0,61}[a-z0-9])?`
  static func isName(_ name: String, upTo limit: Int = 63) -> Bool {
    let bytes = Array(name.utf8)
    func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard let first = bytes.first, let last = bytes.last, bytes.count <= limit else { return false }
    return isLetter(first) && (isLetter(last) || isDigit(last))
      && bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
  }

  static func check(_ name: String?, field: String) throws(APIFailure) {
    guard let name, !name.isEmpty else {
      throw APIFailure(400, "required", "Required field '\(field)' not specified")
    }
    guard isName(name) else {
      throw .invalid(
        field, name,
        "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'")
    }
  }

  /// A reference in any of the forms that Google takes (whole address, `projects/…`, `global/…`, `zones/…`), as
  /// `projects/P/…`.
  static func path(_ reference: String, project: String) -> String {
    if let range = reference.range(of: "/projects/") {
      return "projects/" + reference[range.upperBound...]
    }
    return reference.hasPrefix("projects/") ? reference : "projects/\(project)/\(reference)"
  }

  static func lastPart(_ reference: String) -> String {
    reference.split(separator: "/").last.map(String.init) ?? reference
  }

  /// A project's number, made of its id.
  static func projectNumber(_ project: String) -> UInt64 { stableHash(project) % 900_000_000_000 + 100_000_000_000 }

  /// FNV-1a: the same in every process.
  static func stableHash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}

extension APIFailure {
  static func invalid(_ field: String, _ value: String, _ why: String) -> APIFailure {
    APIFailure(400, "invalid", "Invalid value for field '\(field)': '\(value)'. \(why)")
  }

  static func notFound(_ path: String) -> APIFailure {
    APIFailure(404, "notFound", "The resource '\(path)' was not found")
  }

  static func alreadyExists(_ path: String) -> APIFailure {
    APIFailure(409, "alreadyExists", "The resource '\(path)' already exists")
  }
}

extension Date {
  /// `2026-11-23T10:30:00.000-00:00`, as Compute writes times.
  var computeText: String {
    formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)).replacing("Z", with: "-00:00")
  }
}
