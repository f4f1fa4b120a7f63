/// What docker takes for an image: `[host[:port]/]path[:tag][@digest]`.
///
/// https://pkg.go.dev/github.com/distribution/reference has the grammar.
package enum ImageReference {
  /// What is wrong with it, and what to do; nil when nothing is.
  package static func problem(with image: String) -> String? {
    guard let reason = reason(image) else { return nil }
    return "\"\(image)\" cannot be the name of an image: \(reason)"
  }

  private static func reason(_ image: String) -> String? {
    let bytes = Array(image.utf8)
    if bytes.isEmpty { return "it is empty" }
    if bytes.contains(where: { $0 <= 32 || $0 >= 127 }) { return "it has a blank, or a character beyond ASCII" }
    if image.contains("://") { return "it has a scheme; leave out what stands before the host" }
    // 64 hexadecimal digits are an id, which is of one machine.
    if bytes.count == 64, bytes.allSatisfy(isHexadecimal) { return "it is an image's id; write a name" }

    var rest = bytes[...]
    if let at = rest.firstIndex(of: UInt8(ascii: "@")) {
      if let reason = digestReason(rest[(at + 1)...]) { return reason }
      rest = rest[..<at]
    }
    var components = rest.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    // A colon after the last slash begins the tag; another one is a host's port.
    if let last = components.last, let colon = last.firstIndex(of: UInt8(ascii: ":")) {
      if let reason = tagReason(last[(colon + 1)...]) { return reason }
      components[components.count - 1] = last[..<colon]
    }
    if components.count > 1, let first = components.first, isHost(first) {
      if let reason = hostReason(first) { return reason }
      components.removeFirst()
    }
    if components.reduce(components.count - 1, { $0 + $1.count }) > 255 {
      return "its path has more than 255 characters"
    }
    for component in components { if let reason = componentReason(component) { return reason } }
    return nil
  }

  /// As docker decides: `localhost/a`, `a.b/c` and `a:5000/b` begin with a host, `a/b` does not.
  private static func isHost(_ text: ArraySlice<UInt8>) -> Bool {
    text.contains(UInt8(ascii: ".")) || text.contains(UInt8(ascii: ":")) || text.elementsEqual("localhost".utf8)
      || text.contains(where: isUpper)
  }

  private static func hostReason(_ text: ArraySlice<UInt8>) -> String? {
    var name = text
    if text.first == UInt8(ascii: "[") {
      guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return "its host has a [ without a ]" }
      let address = text[(text.startIndex + 1)..<end]
      let isAddress =
        !address.isEmpty && address.allSatisfy { isHexadecimal($0) || isUpper($0) || $0 == UInt8(ascii: ":") }
      guard isAddress else { return "its host is not an IPv6 address" }
      name = text[(end + 1)...]
      if name.isEmpty { return nil }
      guard name.first == UInt8(ascii: ":") else { return "its host has text after the ]" }
      return portReason(name.dropFirst())
    }
    if let colon = name.firstIndex(of: UInt8(ascii: ":")) {
      if let reason = portReason(name[(colon + 1)...]) { return reason }
      name = name[..<colon]
    }
    let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    let isName = labels.allSatisfy { label in
      label.first.map(isAlphanumeric) == true && label.last.map(isAlphanumeric) == true
        && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }
    return isName ? nil : "its host may have letters, digits, \".\" and \"-\" between them"
  }

  private static func portReason(_ text: ArraySlice<UInt8>) -> String? {
    !text.isEmpty && text.allSatisfy(isDigit) ? nil : "the port of its host is not a number"
  }

  /// Lower-case letters and digits, joined by one `.`, one or two `_`, or any number of `-`.
  private static func componentReason(_ text: ArraySlice<UInt8>) -> String? {
    if text.isEmpty { return "a part of its path is empty" }
    if text.contains(where: isUpper) { return "its path has upper-case letters" }
    var separator: [UInt8] = []
    for byte in text + [0] {
      let isText = isLower(byte) || isDigit(byte)
      if !isText, byte != 0 {
        guard [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte) else {
          return "its path may have lower-case letters, digits, \".\", \"_\", \"-\" and \"/\""
        }
        separator.append(byte)
        continue
      }
      let isJoint =
        separator.isEmpty || separator == [UInt8(ascii: ".")] || separator == [UInt8(ascii: "_")]
        || separator == [UInt8(ascii: "_"), UInt8(ascii: "_")] || separator.allSatisfy { $0 == UInt8(ascii: "-") }
      if !isJoint { return "its path has separators in a row" }
      if byte == 0, !separator.isEmpty { return "a part of its path ends with a separator" }
      separator = []
    }
    guard let first = text.first, isLower(first) || isDigit(first) else {
      return "a part of its path begins with a separator"
    }
    return nil
  }

  private static func tagReason(_ text: ArraySlice<UInt8>) -> String? {
    guard let first = text.first else { return "its tag is empty; write one after the colon, or leave the colon out" }
    if text.count > 128 { return "its tag has more than 128 characters" }
    let isTag =
      (isAlphanumeric(first) || first == UInt8(ascii: "_"))
      && text.allSatisfy {
        isAlphanumeric($0) || [UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-")].contains($0)
      }
    return isTag
      ? nil : "its tag may have letters, digits, \"_\", \".\" and \"-\", and begins with none of the last two"
  }

  private static func digestReason(_ text: ArraySlice<UInt8>) -> String? {
    let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    let lengths = ["sha256": 64, "sha384": 96, "sha512": 128]
    guard parts.count == 2, let length = lengths[String(decoding: parts[0], as: UTF8.self)],
      parts[1].count == length, parts[1].allSatisfy(isHexadecimal)
    else { return "its digest is no \"sha256:\" and 64 digits of 0 to 9 and a to f" }
    return nil
  }

  private static func isUpper(_ byte: UInt8) -> Bool { (65...90).contains(byte) }
  private static func isLower(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
  private static func isAlphanumeric(_ byte: UInt8) -> Bool { isUpper(byte) || isLower(byte) || isDigit(byte) }
  private static func isHexadecimal(_ byte: UInt8) -> Bool { isDigit(byte) || (97...102).contains(byte) }
}
