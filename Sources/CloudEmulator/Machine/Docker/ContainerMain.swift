internal import CLinux
internal import Foundation
internal import Processes

/// What the first process of a container needs to become its command; a file at `ContainerDescriptor.plan`.
struct ContainerPlan: Codable {
  var spec: ContainerSpec
  var root: String
  var hostName: String
  var environment: [String]
}

enum ContainerDescriptor {
  static let plan: Int32 = 3
  /// Closed when the command runs; before that, why it does not: its exit status, a space, the words.
  static let failure: Int32 = 4
}

/// Makes the container's root, in a mount namespace of its own, and executes its command there.
func containerMain() -> Never {
  do {
    let handle = FileHandle(fileDescriptor: ContainerDescriptor.plan)
    let plan = try JSONDecoder().decode(ContainerPlan.self, from: handle.readToEnd() ?? Data())
    close(ContainerDescriptor.plan)
    _ = fcntl(ContainerDescriptor.failure, F_SETFD, FD_CLOEXEC)
    try ContainerRoot(plan: plan).enter()
    try check(clinux_confine(), "confine the container")
    execute(plan)
  } catch let error as ContainerFailure {
    fail(error)
  } catch {
    fail(ContainerFailure(status: 125, message: "\(error)"))
  }
}

struct ContainerFailure: Error {
  var status: Int32
  var message: String
}

private func fail(_ failure: ContainerFailure) -> Never {
  let bytes = Array("\(failure.status) \(failure.message)".utf8)
  try? bytes.withUnsafeBytes { try writeAll($0, to: ContainerDescriptor.failure) }
  exit(failure.status)
}

private func execute(_ plan: ContainerPlan) -> Never {
  chdir("/")
  let words = plan.spec.words
  guard let program = words.first else {
    fail(ContainerFailure(status: 125, message: "no command specified"))
  }
  guard let path = find(program, plan.environment) else {
    let reason =
      program.contains("/") ? "stat \(program): no such file or directory" : "executable file not found in $PATH"
    fail(ContainerFailure(status: 127, message: "exec: \"\(program)\": \(reason)"))
  }
  clinux_reset_signals()
  var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
  var environment: [UnsafeMutablePointer<CChar>?] = plan.environment.map { strdup($0) } + [nil]
  execve(path, &arguments, &environment)
  let status: Int32 = errno == ENOENT ? 127 : 126
  fail(ContainerFailure(status: status, message: "exec: \"\(program)\": \(lastError())"))
}

private func lastError() -> String { String(cString: strerror(errno)).lowercased() }

private func find(_ program: String, _ environment: [String]) -> String? {
  if program.contains("/") { return access(program, F_OK) == 0 ? program : nil }
  let path = environment.last { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? ""
  return path.split(separator: ":").map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 && !isFolder($0) }
}

private func isFolder(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
