internal import CLinux
internal import Foundation
internal import Processes

/// The file system of a container: this machine's programs, and folders of its own for everything else.
struct ContainerRoot {
  var plan: ContainerPlan

  func enter() throws {
    let namespaces = CLINUX_NAMESPACE_MOUNT.rawValue | CLINUX_NAMESPACE_IPC.rawValue | CLINUX_NAMESPACE_UTS.rawValue
    try check(clinux_unshare(Int32(namespaces)), "make the namespaces of the container")
    try check(clinux_make_mounts_private(), "make mounts private")
    let root = plan.root
    for name in ["proc", "dev", "etc", "run", "tmp", "var/tmp", "root", "home", "mnt", "media", "srv"] {
      try makeFolders("\(root)/\(name)", mode: 0o755)
    }
    for name in ["tmp", "var/tmp"] { chmod("\(root)/\(name)", 0o1777) }
    try bindFolder(root, root)
    try SystemFolders.bind(into: root)
    try EtcFiles.copy(from: "/etc", to: root + "/etc", hostName: plan.hostName)
    try EtcFiles.bindFolders(from: "/etc", to: root + "/etc")
    try Devices.make(in: root + "/dev", from: "/dev", sharedMemory: plan.spec.sharedMemory)
    if let curl = readWholeFile("/run/dagrun/.curlrc") {
      try writeText(String(decoding: curl, as: UTF8.self), to: root + "/root/.curlrc")
    }
    // Without a namespace of its own, the machine's /proc would be the only one.
    if clinux_mount_new("proc", root + "/proc", "") != 0 { try bindFolder("/proc", root + "/proc") }
    let covered = (KernelCovers.folders + KernelCovers.files).filter { access($0, F_OK) == 0 }
    let hidden = [KernelCovers.readOnly, KernelCovers.bootID] + covered
    let sources = try (hidden + plan.spec.volumes.map(\.source)).map(opened)
    _ = clinux_set_host_name(plan.hostName)

    // Paths of the container are followed from its own root only: its links may lead anywhere.
    try check(clinux_enter_root(root), "enter the root of the container")
    for (source, target) in zip(sources, hidden) { try mount(source, target, readOnly: true) }
    let volumes = zip(sources.dropFirst(hidden.count), plan.spec.volumes).sorted {
      $0.1.target.utf8.count < $1.1.target.utf8.count
    }
    for (source, volume) in volumes { try mount(source, volume.target) }
    try check(clinux_leave_old_root(), "leave the VM's root")
  }

  /// A folder that is missing is made, as docker does for `--volume`.
  private func opened(_ path: String) throws -> Int32 {
    if access(path, F_OK) != 0 { try makeFolders(path, mode: 0o755) }
    let descriptor = clinux_open_path(path)
    if descriptor < 0 { throw SystemError("mount \(path)") }
    return descriptor
  }

  private func mount(_ source: Int32, _ target: String, readOnly: Bool = false) throws {
    var status = stat()
    fstat(source, &status)
    if status.st_mode & S_IFMT == S_IFDIR {
      try makeFolders(target, mode: 0o755)
    } else if access(target, F_OK) != 0 {
      try makeFolders((target as NSString).deletingLastPathComponent, mode: 0o755)
      try writeText("", to: target)
    }
    try bindFolder("/proc/self/fd/\(source)", target, readOnly: readOnly)
    close(source)
  }
}
