/// What a program of the VM (`docker`, `systemctl`, …) was asked. Its first process does it.
struct CommandRequest: Codable {
  var program: String
  var arguments: [String]
  var environment: [String: String]
}

/// On the socket: the request (length, 4 bytes, and JSON), then one byte for each signal that the program gets. Back:
/// frames of kind (1 byte), length (4 bytes) and content.
enum CommandFrame {
  static let exit: UInt8 = 0
  static let standardOutput: UInt8 = 1
  static let standardError: UInt8 = 2

  static func header(_ kind: UInt8, _ count: Int) -> [UInt8] { [kind] + bigEndian(count) }

  static func bigEndian(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) } }

  static func count(_ bytes: some Collection<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}
