package import Foundation

/// Names one logical mutation. A repeat with the same id, also after a crash, is answered with the first one's
/// operation.
package struct RequestID: Codable, Hashable, Sendable, CustomStringConvertible {
  package let uuid: UUID

  /// - Precondition: not the zero UUID, which Google refuses.
  package init(_ uuid: UUID) {
    precondition(uuid != UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), "the zero UUID names no request")
    self.uuid = uuid
  }

  package init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(UUID.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(uuid)
  }

  /// As Google's own clients write it.
  package var description: String { uuid.uuidString.lowercased() }
}
