internal import Glibc
internal import Model
internal import Processes

/// The Unix-domain socket of a home.
///
/// An address holds a path of at most 107 bytes, and homes may lie deeper: so the path goes through a descriptor of the
/// home's folder (`/proc/self/fd/7/scheduler.sock`), which is always short.
enum ControlSocket {
  /// A listening socket that only its owner can connect to. A socket file that a dead scheduler left is replaced: call
  /// it only with the lock of the home.
  static func listen(in home: Home) throws(SystemError) -> Int32 {
    try withAddress(in: home) { (address, length, operation) throws(SystemError) in
      let descriptor = try make(operation)
      unlink(home.socketPath)
      // The mode of the socket before it is bound is the mode of the file that binding makes.
      fchmod(descriptor, 0o600)
      guard bind(descriptor, address, length) == 0, Glibc.listen(descriptor, 128) == 0 else {
        let error = SystemError("listen on \(home.socketPath)")
        close(descriptor)
        throw error
      }
      return descriptor
    }
  }

  /// nil when nobody listens.
  static func connect(to home: Home) throws(SystemError) -> Int32? {
    guard access(home.socketPath, F_OK) == 0 else { return nil }
    return try withAddress(in: home) { (address, length, operation) throws(SystemError) in
      let descriptor = try make(operation)
      if retrying({ Glibc.connect(descriptor, address, length) }) == 0 { return descriptor }
      let error = SystemError("connect to \(home.socketPath)")
      close(descriptor)
      if error.code == ECONNREFUSED || error.code == ENOENT { return nil }
      throw error
    }
  }

  private static func make(_ operation: String) throws(SystemError) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SystemError(operation) }
    return descriptor
  }

  private static func withAddress<Result>(
    in home: Home, _ body: (UnsafePointer<sockaddr>, socklen_t, String) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    let folder = open(home.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw SystemError("open the folder \(home.path)") }
    defer { close(folder) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = "/proc/self/fd/\(folder)/scheduler.sock"
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let outcome: Swift.Result<Result, SystemError> = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        do throws(SystemError) {
          return .success(try body(pointer, socklen_t(MemoryLayout<sockaddr_un>.size), "open a socket"))
        } catch {
          return .failure(error)
        }
      }
    }
    return try outcome.get()
  }
}
