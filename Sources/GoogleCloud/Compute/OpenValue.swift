/// One of the strings of an enumeration of Google's. Open, for Google adds values, and an answer with a new one must
/// still be read.
package protocol OpenValue: RawRepresentable, Codable, Hashable, Sendable, ExpressibleByStringLiteral,
  CustomStringConvertible
where RawValue == String, StringLiteralType == String {
  init(rawValue: String)
}

extension OpenValue {
  package init(stringLiteral value: String) { self.init(rawValue: value) }
  package var description: String { rawValue }
}
