internal import Foundation
internal import NIOCore
internal import Processes

/// Which user of this machine is at the other end of a connection over loopback, by the kernel's own list.
///
/// `GCE_METADATA_HOST` is a host for most of Google's clients, so that no secret fits into it.
enum LoopbackPeer {
  /// Nil: it is not there any more, or is not a connection over loopback.
  static func user(of channel: any Channel) -> UInt32? {
    guard let own = channel.localAddress?.port, let other = channel.remoteAddress?.port else { return nil }
    // A program may have opened it as IPv6.
    for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
      let list = String(decoding: readWholeFile(path) ?? [], as: UTF8.self)
      if let user = user(from: other, to: own, in: list) { return user }
    }
    return nil
  }

  /// - Parameter list: of lines `sl local_address rem_address st tx:rx tr:when retrnsmt uid …`, in hexadecimal.
  static func user(from: Int, to: Int, in list: String) -> UInt32? {
    for line in list.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      // Established, or half closed by us: a socket that nobody holds any more is said to be root's.
      guard fields.count > 7, fields[3] == "01" || fields[3] == "08" else { continue }
      if port(fields[1]) == from, port(fields[2]) == to { return UInt32(fields[7]) }
    }
    return nil
  }

  /// Of an address of loopback: `0100007F:1F90`.
  private static func port(_ address: Substring) -> Int? {
    let parts = address.split(separator: ":")
    guard parts.count == 2, parts[0].hasSuffix("0100007F") else { return nil }
    return Int(parts[1], radix: 16)
  }
}
