internal import Foundation
internal import Processes

nonisolated(unsafe) private var server: Int32 = -1

/// A program of the VM: hands its arguments to the first process, its signals too, and does as that one says.
func clientMain(name: String, _ arguments: [String]) -> Never {
  let request = CommandRequest(
    program: name, arguments: arguments, environment: ProcessInfo.processInfo.environment)
  guard let socket = try? UnixSocket.connect(MachineRoot.commandSocket), let json = try? JSONEncoder().encode(request)
  else { fail(name) }
  server = socket
  signal(SIGPIPE, SIG_IGN)
  do {
    let bytes = CommandFrame.bigEndian(json.count) + json
    try bytes.withUnsafeBytes { try writeAll($0, to: socket) }
  } catch {
    fail(name)
  }
  for number in [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH] {
    signal(number) { number in
      var byte = UInt8(number)
      _ = write(server, &byte, 1)
    }
  }
  while true {
    guard let header = readExactly(socket, 5) else { fail(name) }
    guard let content = readExactly(socket, CommandFrame.count(header[1...])) else { fail(name) }
    if header[0] == CommandFrame.exit { exit(Int32(truncatingIfNeeded: CommandFrame.count(content))) }
    // Whoever reads it may have gone: the program continues, as docker does.
    try? content.withUnsafeBytes { try writeAll($0, to: Int32(header[0])) }
  }
}

private func fail(_ name: String) -> Never {
  FileHandle.standardError.write(Data("\(name): the machine does not answer\n".utf8))
  exit(1)
}

private func readExactly(_ descriptor: Int32, _ count: Int) -> [UInt8]? {
  var bytes: [UInt8] = []
  while bytes.count < count {
    let part = [UInt8](unsafeUninitializedCapacity: count - bytes.count) { buffer, used in
      used = max(0, retrying { read(descriptor, buffer.baseAddress, buffer.count) })
    }
    if part.isEmpty { return nil }
    bytes += part
  }
  return bytes
}

/// A socket that has a path.
enum UnixSocket {
  static func connect(_ path: String) throws(SystemError) -> Int32 { try open(path, Glibc.connect) }

  static func listen(_ path: String) throws(SystemError) -> Int32 {
    unlink(path)
    let descriptor = try open(path, bind)
    if Glibc.listen(descriptor, 64) != 0 { throw SystemError("listen at \(path)") }
    return descriptor
  }

  private static func open(
    _ path: String, _ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws(SystemError) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = path.utf8CString
    guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else {
      throw SystemError("use the socket \(path)", code: ENAMETOOLONG)
    }
    withUnsafeMutableBytes(of: &address.sun_path) { target in
      bytes.withUnsafeBytes { target.copyMemory(from: $0) }
    }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        call(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    if descriptor < 0 || result != 0 {
      let error = SystemError("use the socket \(path)")
      close(descriptor)
      throw error
    }
    return descriptor
  }
}
