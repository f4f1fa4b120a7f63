import Glibc
import Testing

/// A port of loopback that nobody serves, and that nobody else can take.
struct LoopbackPort {
  let number: UInt16
  private let descriptor: Int32

  /// - Parameter isListening: the system takes connections, which then hear nothing; otherwise it refuses them.
  init(isListening: Bool) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
      }
    }
    try #require(result == 0 && (!isListening || listen(descriptor, 64) == 0))
    number = UInt16(bigEndian: address.sin_port)
  }

  func close() { Glibc.close(descriptor) }
}
