/// A whole number that Google's JSON writes as a string, because JSON's numbers are doubles: `"diskSizeGb": "100"`.
package struct Int64String: Codable, Hashable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
  package var value: Int64

  package init(_ value: Int64) { self.value = value }
  package init(integerLiteral value: Int64) { self.value = value }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Int64.self) {
      value = number
      return
    }
    let text = try container.decode(String.self)
    guard let number = Int64(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "“\(text)” is not a whole number")
    }
    value = number
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(String(value))
  }

  package var description: String { String(value) }
}
