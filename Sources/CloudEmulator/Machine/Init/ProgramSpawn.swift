internal import CLinux
internal import Foundation
internal import Processes

/// How the first process of a VM starts others. It has one thread, and forks.
struct ProgramSpawn {
  var words: [String]
  /// Each `NAME=VALUE`.
  var environment: [String]
  var workingDirectory: String?
  /// Number in the child -> descriptor of this process.
  var descriptors: [Int32: Int32]
  var group = CLINUX_GROUP_SESSION

  enum Kind {
    /// Of a VM's own: confined (`clinux_confine`).
    case program
    /// The first process of a container, which confines itself when its root is made.
    case container
  }

  func start(_ kind: Kind) throws(SystemError) -> pid_t {
    // A source's number may be another one's target.
    let targets = descriptors.keys.sorted()
    let sources = targets.map { fcntl(descriptors[$0] ?? -1, F_DUPFD_CLOEXEC, max(16, (targets.last ?? 0) + 1)) }
    defer { for source in sources where source >= 0 { close(source) } }
    guard let executable = words.first, sources.allSatisfy({ $0 >= 0 }), !words.contains(where: { $0.utf8.contains(0) })
    else { throw SystemError("start \(words.first ?? "nothing")", code: EINVAL) }
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    let directory = workingDirectory.map { strdup($0) } ?? nil
    defer { for text in arguments + variables + [directory] { free(text) } }
    var pid: Int32 = 0
    let count = Int32(targets.count)
    let code = arguments.withUnsafeMutableBufferPointer { arguments in
      variables.withUnsafeMutableBufferPointer { variables in
        sources.withUnsafeBufferPointer { sources in
          targets.withUnsafeBufferPointer { targets in
            guard let words = arguments.baseAddress, let values = variables.baseAddress else { return EINVAL }
            var request = clinux_spawn_request(
              executable: words[0], arguments: words, environment: values, working_directory: directory,
              source_fds: sources.baseAddress, target_fds: targets.baseAddress, fd_count: count, group: group)
            switch kind {
            case .program: return clinux_spawn_confined(&request, &pid)
            case .container: return clinux_spawn_first(&request, &pid)
            }
          }
        }
      }
    }
    if code != 0 { throw SystemError("start \(executable)", code: code) }
    return pid
  }
}

extension Spawn {
  /// As `start`, for a program of the VM.
  func startConfined() throws(SystemError) -> pid_t {
    let environment = environment ?? ProcessInfo.processInfo.environment
    let group =
      switch group {
      case .inherited: CLINUX_GROUP_INHERITED
      case .own: CLINUX_GROUP_OWN
      case .session: CLINUX_GROUP_SESSION
      }
    return try ProgramSpawn(
      words: [executable] + arguments, environment: environment.map { "\($0.key)=\($0.value)" },
      workingDirectory: workingDirectory, descriptors: descriptors, group: group
    ).start(.program)
  }
}
