internal import CLinux
package import Glibc

/// A process to start. The child has no signal blocked, every signal at its default, and no descriptors besides the
/// standard ones and those named here.
package struct Spawn: Sendable {
  /// A path, or a name that is looked up in this process's PATH.
  package var executable: String
  /// What the process is called in lists of processes; nil: as the executable.
  package var name: String?
  /// Without the name of the program itself.
  package var arguments: [String]
  /// nil: that of this process.
  package var environment: [String: String]?
  /// nil: that of this process.
  package var workingDirectory: String?
  /// Number in the child -> descriptor of this process. Numbers 0 to 2 that are not named are inherited.
  package var descriptors: [Int32: Int32] = [:]
  package var group: Group = .inherited

  package enum Group: Sendable {
    case inherited
    /// Leads a process group of its own, in the session of this process.
    case own
    /// Leads a session, and so a process group, without a terminal.
    case session
  }

  package init(
    _ executable: String, _ arguments: [String] = [], environment: [String: String]? = nil,
    workingDirectory: String? = nil
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
  }

  /// Starts the process and returns its pid; somebody has to wait for it (`waitForChild`).
  ///
  /// Descriptors that must not leak are opened with `O_CLOEXEC` throughout, and the child closes what it was not given:
  /// so this may be called from many threads at once.
  package func start() throws(SystemError) -> pid_t {
    let targets = descriptors.keys.sorted()
    // A source may be the target of another; numbers above all targets cannot be.
    let firstFree = max(targets.last ?? 2, 2) + 1
    var sources: [Int32] = []
    defer { for source in sources { close(source) } }
    for target in targets {
      let source = fcntl(descriptors[target]!, F_DUPFD_CLOEXEC, firstFree)
      if source < 0 { throw SystemError("pass descriptor \(descriptors[target]!) to \(executable)") }
      sources.append(source)
    }
    if let nul = ([executable] + arguments).first(where: { $0.utf8.contains(0) }) {
      throw SystemError("start \(executable): argument with a NUL byte (\(nul.utf8.count) bytes)", code: EINVAL)
    }
    var pid: pid_t = 0
    let code = withCStringArray([name ?? executable] + arguments) { arguments in
      withEnvironment { environment in
        executable.withCString { executable in
          withOptionalCString(workingDirectory) { workingDirectory in
            var request = clinux_spawn_request(
              executable: executable, arguments: arguments, environment: environment,
              working_directory: workingDirectory, source_fds: nil, target_fds: nil, fd_count: Int32(targets.count),
              group: group.value)
            return sources.withUnsafeBufferPointer { sources in
              targets.withUnsafeBufferPointer { targets in
                request.source_fds = sources.baseAddress
                request.target_fds = targets.baseAddress
                return clinux_spawn(&request, &pid)
              }
            }
          }
        }
      }
    }
    if code != 0 {
      let place = workingDirectory.map { " in \($0)" } ?? ""
      throw SystemError("start \(name ?? executable)\(place)", code: code)
    }
    return pid
  }

  private func withEnvironment<Result>(
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    guard let environment else { return body(environ) }
    return withCStringArray(environment.map { "\($0.key)=\($0.value)" }, body)
  }
}

extension Spawn.Group {
  fileprivate var value: clinux_group {
    switch self {
    case .inherited: CLINUX_GROUP_INHERITED
    case .own: CLINUX_GROUP_OWN
    case .session: CLINUX_GROUP_SESSION
    }
  }
}

private func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
  guard let text else { return body(nil) }
  return text.withCString(body)
}

/// A null-terminated array of C strings, all in one allocation.
private func withCStringArray<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var bytes: [CChar] = []
  var offsets: [Int] = []
  for string in strings {
    offsets.append(bytes.count)
    for byte in string.utf8 { bytes.append(CChar(bitPattern: byte)) }
    bytes.append(0)
  }
  return bytes.withUnsafeMutableBufferPointer { bytes in
    var pointers: [UnsafeMutablePointer<CChar>?] = offsets.map { bytes.baseAddress! + $0 }
    pointers.append(nil)
    return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
  }
}
