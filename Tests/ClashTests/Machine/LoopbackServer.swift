import Foundation
import Glibc

/// An HTTP server on loopback, in a few lines: one request a connection, each answered on a thread of its own.
final class LoopbackServer: Sendable {
  let port: Int
  private let descriptor: Int32

  struct Request: Sendable {
    var method: String
    /// Still encoded.
    var path: String
    var query: [String: String]
    /// Names in lower case.
    var headers: [String: String]
    var body: Data
  }

  struct Response: Sendable {
    var status = 200
    var body = Data()
    var headers: [String: String] = [:]

    static func json(_ object: Any, status: Int = 200) -> Response {
      Response(status: status, body: (try? JSONSerialization.data(withJSONObject: object)) ?? Data())
    }

    static func failure(_ status: Int, _ message: String) -> Response {
      json(["error": ["code": status, "message": message]], status: status)
    }
  }

  init(_ answer: @escaping @Sendable (Request) -> Response) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    self.descriptor = descriptor
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(descriptor, pointer, size) == 0 && listen(descriptor, 64) == 0
          && getsockname(descriptor, pointer, &size) == 0
      }
    }
    guard bound else { throw POSIXError(.EADDRNOTAVAIL) }
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread.detachNewThread {
      while true {
        let connection = accept(descriptor, nil, nil)
        if connection < 0 {
          if errno == EINTR || errno == ECONNABORTED { continue }
          return
        }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        Thread.detachNewThread {
          Self.serve(connection, answer)
          close(connection)
        }
      }
    }
  }

  /// Foundation's own `removingPercentEncoding` drops a byte order mark at the beginning.
  static func decoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest.removeFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  func stop() {
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }

  private static func serve(_ connection: Int32, _ answer: (Request) -> Response) {
    var bytes = Data()
    let end = Data("\r\n\r\n".utf8)
    while bytes.range(of: end) == nil { guard receive(connection, &bytes) else { return } }
    guard let head = bytes.range(of: end) else { return }
    let lines = String(decoding: bytes[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ").map(String.init)
    guard words.count == 3 else { return }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    if headers["expect"] != nil { send(connection, Data("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
    var body = Data(bytes[head.upperBound...])
    while body.count < length { guard receive(connection, &body) else { return } }

    let parts = words[1].split(separator: "?", maxSplits: 1).map(String.init)
    var query: [String: String] = [:]
    for pair in parts.dropFirst().joined().split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      query[sides[0]] = decoded(sides.dropFirst().joined())
    }
    let response = answer(Request(method: words[0], path: parts[0], query: query, headers: headers, body: body))
    var text = "HTTP/1.1 \(response.status) \(response.status)\r\nConnection: close\r\n"
    for (name, value) in response.headers { text += "\(name): \(value)\r\n" }
    text += "Content-Length: \(response.body.count)\r\n\r\n"
    send(connection, Data(text.utf8) + response.body)
  }

  private static func receive(_ connection: Int32, _ data: inout Data) -> Bool {
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(connection, &part, part.count, 0)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      data.append(contentsOf: part[..<count])
      return true
    }
  }

  private static func send(_ connection: Int32, _ data: Data) {
    let bytes = Array(data)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      sent += count
    }
  }
}
