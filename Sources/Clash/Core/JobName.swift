internal import Basics
package import Model

/// Names of jobs: what they may be, and how they are made up.
///
/// A job's name is on everything it has: topic and subscription are named so, template and group with `-N` behind, the
/// VM with `-N-xxxx`. Google allows 63 characters for those, and 58 for a group's base name.
package enum JobName {
  /// Pub/Sub takes no shorter name for a topic.
  package static let shortest = 3
  package static let longest = 50

  /// What is wrong with a name, and what to do; nil when nothing is.
  package static func problem(_ name: String) -> String? {
    let bytes = Array(name.utf8)
    let isSpelled =
      bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
      && bytes.first.map(isLetter) == true && bytes.last != UInt8(ascii: "-")
    if !isSpelled {
      return "\"\(name)\" cannot be the name of a job: lower-case letters, digits and hyphens, a letter first and no "
        + "hyphen last"
    }
    // Pub/Sub keeps such names to itself.
    if name.hasPrefix("goog") { return "\"\(name)\" cannot be the name of a job: Google refuses names with goog first" }
    if bytes.count < shortest {
      return "\"\(name)\" has \(bytes.count) characters, and a job's name at least \(shortest): lengthen it"
    }
    if bytes.count > longest {
      return "\"\(name)\" has \(bytes.count) characters, and a job's name at most \(longest): shorten it"
    }
    return nil
  }

  /// `prefix-xxxxxxxx`: another one each time.
  package static func random(prefix: String, using generator: inout some RandomNumberGenerator) -> String {
    let tail = (0..<8).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
    return "\(slug(prefix, longest: longest - 9))-\(String(decoding: tail, as: UTF8.self))"
  }

  /// Of a task's try, always the same: a process that asks again after a crash finds the job that it asked for before.
  package static func of(_ task: JobTask, homeID: String) -> String {
    let key = task.key
    var parts = [homeID, task.dagID, "\(key.run)", task.runID, key.taskID, "\(key.number)"]
    var tail = "-try\(key.number)"
    if key.instance.mapIndex >= 0 {
      parts.append("map index \(key.instance.mapIndex)")
      tail = "-\(key.instance.mapIndex)" + tail
    }
    if key.member > 0 {
      parts.append("member \(key.member)")
      tail += "-\(key.member)"
    }
    tail += "-"
    for byte in SHA256.digest(ofParts: parts).prefix(10) { tail.unicodeScalars.append(letter(byte)) }
    return slug("\(task.dagID)-\(key.taskID)", longest: longest - tail.utf8.count) + tail
  }

  /// `text-xxxxxxxxxx`, no longer than that: always the same for the same parts, and another one for others.
  package static func distinct(_ text: String, of parts: [String], longest: Int) -> String {
    var tail = "-"
    for byte in SHA256.digest(ofParts: parts).prefix(10) { tail.unicodeScalars.append(letter(byte)) }
    return slug(text, longest: longest - tail.utf8.count) + tail
  }

  /// Any text as the beginning of a name: readable, never empty, no hyphen at either end.
  package static func slug(_ text: String, longest: Int) -> String {
    var slug: [UInt8] = []
    for byte in text.lowercased().utf8 {
      if isLetter(byte) || (isDigit(byte) && !slug.isEmpty) {
        slug.append(byte)
      } else if slug.last.map({ $0 != UInt8(ascii: "-") }) == true {
        slug.append(UInt8(ascii: "-"))
      }
    }
    slug = Array(slug.prefix(max(longest, 1)))
    while slug.last == UInt8(ascii: "-") { slug.removeLast() }
    let name = String(decoding: slug, as: UTF8.self)
    return name.isEmpty || name.hasPrefix("goog") ? String("job-\(name)".prefix(max(longest, 1))).trimmed : name
  }

  /// 32 characters, so that each byte gives one with the same chance. Without those that read like another.
  private static let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)

  private static func letter(_ byte: UInt8) -> Unicode.Scalar { Unicode.Scalar(alphabet[Int(byte) % alphabet.count]) }
  private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}

extension String {
  fileprivate var trimmed: String { hasSuffix("-") ? String(dropLast()).trimmed : self }
}
