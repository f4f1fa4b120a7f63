internal import Foundation

/// A body of several parts (`multipart/…; boundary=…`).
enum Multipart {
  struct Part {
    /// Names in lower case.
    var headers: [String: String]
    var body: Data
  }

  static func boundary(of contentType: String) -> String? {
    guard let range = contentType.range(of: "boundary=") else { return nil }
    return contentType[range.upperBound...].prefix { $0 != ";" }.trimmingCharacters(in: ["\"", "'", " "])
  }

  static func parts(of body: Data, contentType: String) -> [Part]? {
    guard let boundary = boundary(of: contentType), !boundary.isEmpty else { return nil }
    let delimiter = Data("--\(boundary)".utf8)
    var parts: [Part] = []
    guard var range = body.range(of: delimiter) else { return nil }
    while let next = body.range(of: delimiter, in: range.upperBound..<body.endIndex) {
      parts.append(part(body[range.upperBound..<next.lowerBound]))
      range = next
    }
    return parts
  }

  private static func part(_ data: Data) -> Part {
    // A part begins after the line of its delimiter, and its last line break belongs to the next one.
    var data = data.drop { $0 == 13 || $0 == 10 || $0 == 32 }
    if data.last == 10 { data = data.dropLast() }
    if data.last == 13 { data = data.dropLast() }
    let (head, body) = split(data)
    return Part(headers: headers(head), body: body)
  }

  /// The head, and what follows the first empty line.
  static func split(_ data: Data) -> (head: String, body: Data) {
    for separator in ["\r\n\r\n", "\n\n"] {
      if let range = data.range(of: Data(separator.utf8)) {
        return (
          String(decoding: data[data.startIndex..<range.lowerBound], as: UTF8.self), Data(data[range.upperBound...])
        )
      }
    }
    return (String(decoding: data, as: UTF8.self), Data())
  }

  static func headers(_ text: String) -> [String: String] {
    var headers: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] =
        line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    return headers
  }
}
