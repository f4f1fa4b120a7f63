import Foundation

/// Builds paths of requests. Each part is encoded on its own, so that a slash in a name stays in the name.
package enum CloudPath {
  private static let unreserved: Set<UInt8> = Set(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)

  /// - Returns: `segment` with everything but RFC 3986's unreserved characters as `%XX` of its UTF-8.
  package static func encoded(_ segment: String) -> String {
    var text = ""
    for byte in segment.utf8 {
      if unreserved.contains(byte) {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        text += byte < 16 ? "%0" : "%"
        text += String(byte, radix: 16, uppercase: true)
      }
    }
    return text
  }

  package static func joined(_ segments: String...) -> String {
    segments.map(encoded).joined(separator: "/")
  }
}
