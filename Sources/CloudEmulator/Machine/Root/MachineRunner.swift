internal import CLinux
internal import Foundation
internal import Processes

/// Makes the namespaces and the root of a VM, and starts its first process there. Ends with it, and ends it when the
/// emulator is gone.
func runMachine(_ folder: MachineFolder) -> Never {
  signal(SIGPIPE, SIG_IGN)
  let first: ProcessDescriptor
  do {
    let plan = try MachinePlan(readingFrom: folder.plan)
    try checkMachine(folder)
    try enterNamespaces()
    try MachineRoot(folder: folder, plan: plan).build()
    first = try startInit(plan)
  } catch {
    report(.failed("\(error)"))
    exit(MachineExit.failed)
  }
  // Its end has to show when init has ended.
  close(MachineDescriptor.reports)
  close(1)
  close(2)
  giveBackMemory()

  // Commands are for init; that nobody can give any is for both.
  var entries = [
    pollfd(fd: MachineDescriptor.commands, events: 0, revents: 0),
    pollfd(fd: first.descriptor, events: Int16(POLLIN), revents: 0),
  ]
  _ = retrying { poll(&entries, 2, -1) }
  if entries[1].revents == 0 { first.signal(SIGKILL) }
  // The first process of a PID namespace takes all others with it, and is gone only after them.
  switch waitForChild(first.pid)?.status {
  case .exited(let code): exit(code)
  case .signaled, nil: exit(MachineExit.failed)
  }
}

func report(_ report: MachineReport) {
  let line = Array(report.line.utf8)
  _ = write(MachineDescriptor.reports, line, line.count)
}

/// What a VM needs of this machine, beside the kernel: without it, it would be up and mute.
private func checkMachine(_ folder: MachineFolder) throws {
  var status = statvfs()
  // ST_NOEXEC, which Swift does not see.
  if statvfs(folder.boot, &status) == 0, status.f_flag & 8 != 0 {
    throw MachineError(
      "no program may be executed in \(folder.path): the disk is mounted noexec. Take another --folder, or TMPDIR")
  }
  let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
  try checkProgram(executable)
  let places = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
  for program in ["sh", "bash", "curl"] where !places.contains(where: { access("\($0)/\(program)", X_OK) == 0 }) {
    throw MachineError(
      "this machine has no \(program) in \(places.joined(separator: ", ")), which a VM needs. Install it")
  }
}

/// A mount namespace in which the root is made. The VM's first process goes into a user namespace from there, so that
/// what is mounted here is locked; whoever is not root needs one for the mounts, too.
private func enterNamespaces() throws {
  if geteuid() == 0 {
    guard clinux_unshare(Int32(CLINUX_NAMESPACE_MOUNT.rawValue)) == 0 else {
      throw MachineError(
        """
        this system gives no mount namespace, even to root (\(String(cString: strerror(errno)))), without which a VM \
        could write everywhere. In a container, start that with --privileged; or run the emulator without VMs: \
        --machines none
        """)
    }
  } else if clinux_enter_user_namespace(0, 0) != 0 {
    throw MachineError.noUserNamespace(errno)
  }
  let others = CLINUX_NAMESPACE_PID.rawValue | CLINUX_NAMESPACE_IPC.rawValue | CLINUX_NAMESPACE_UTS.rawValue
  guard clinux_unshare(Int32(others)) == 0 else { throw SystemError("make the namespaces of a VM") }
  guard clinux_make_mounts_private() == 0 else { throw SystemError("make mounts private") }
}

private func startInit(_ plan: MachinePlan) throws -> ProcessDescriptor {
  var spawn = Spawn(
    MachineRoot.program, plan.programArguments + ["init"], environment: MachineRoot.environment(plan),
    workingDirectory: "/")
  spawn.descriptors = [
    MachineDescriptor.commands: MachineDescriptor.commands, MachineDescriptor.reports: MachineDescriptor.reports,
  ]
  return try ProcessDescriptor(pid: spawn.start())
}

struct MachineError: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }

  static func noUserNamespace(_ code: Int32) -> MachineError {
    MachineError(
      """
      this system gives no user namespace to user \(geteuid()) (\(String(cString: strerror(code)))), without which a VM \
      could write everywhere. Allow them (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces, \
      kernel.apparmor_restrict_unprivileged_userns=0; in a container: --security-opt seccomp=unconfined; not in a \
      chroot), or run the emulator without VMs: --machines none
      """)
  }
}

/// In a chroot, a program's own path may lead nowhere.
func checkProgram(_ executable: String) throws {
  guard access(executable, F_OK) == 0 else {
    throw MachineError(
      "this program, \(executable), is not to be seen at its own path: in a chroot, no VM can be had. Run the emulator "
        + "outside, or without VMs: --machines none")
  }
}
