import Foundation
import Glibc
import Processes
import Testing

@testable import CloudEmulator

@Suite(.enabled(if: canRunMachines, needsMachines))
struct IsolationTests {
  @Test func `no path of user-data leads out of the VM's folder`() async throws {
    let outside = TestFolder()
    try "seen".write(toFile: outside.path + "/mark", atomically: true, encoding: .utf8)
    let home = NSHomeDirectory()
    let name = "dagrun-escape-" + UUID().uuidString
    let targets = [
      "/usr/\(name)", "/usr/local/bin/\(name)", "/bin/\(name)", "/lib/\(name)", "/opt/\(name)", "/\(name)",
      "/etc/ssl/\(name)", "\(outside.path)/\(name)", "\(home)/\(name)", "/tmp/\(name)", "/var/tmp/\(name)",
      "/dev/shm/\(name)", "/root/\(name)", "/home/\(name)", "/tmp/../../../../../../tmp/\(name)-up",
      "/var/link/\(name)", "/var/file-link", "/proc/1/root/tmp/\(name)", "/proc/self/root/usr/\(name)",
    ]
    let files = targets.map { "- {path: '\($0)', content: escaped}" }.joined(separator: "\n")
    let machine = try TestMachine(
      userData: """
        #cloud-config
        bootcmd:
        - ln -s \(outside.path) /var/link; ln -s \(outside.path)/linked /var/file-link
        write_files:
        \(files)
        runcmd:
        - mkdir -p /var/out; cd /var/out; ls -a / > root; cat \(outside.path)/mark > outside
        - mount -o remount,rw /usr > remount 2>&1; umount -l /usr >> remount 2>&1; touch /usr/\(name) >> remount 2>&1
        - mount -o remount,rw / >> remount 2>&1; touch /\(name)-2 >> remount 2>&1
        - nsenter -t 1 -m touch /usr/\(name) 2> /dev/null
        - docker run --volume /:/host --volume /usr:/host-usr ubuntu sh -c 'touch /usr/\(name) /host/usr/\(name) /host-usr/\(name)'
        - docker run --volume /var/../usr:/x ubuntu touch /x/\(name)
        - mknod /var/out/disk b 8 0 && echo made > /var/out/device
        - echo x > /proc/sys/kernel/core_pattern && echo written > /var/out/sysctl
        - poweroff
        """)
    #expect(await machine.end() == [.booted, .ended(.poweredOff)])
    for path in targets + ["/\(name)-2", "/tmp/\(name)-up"] where !path.hasPrefix("/proc") {
      #expect(!FileManager.default.fileExists(atPath: path), "\(path)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside.path) == ["mark"])
    #expect(machine.output("outside") == "")
    #expect(machine.output("device") == nil)
    #expect(machine.output("sysctl") == nil)
    #expect(machine.output("root")?.contains("work") == false)
  }

  @Test func `a disk that an earlier boot has filled with links leads nowhere`() async throws {
    let outside = TestFolder()
    let folder = TestFolder()
    let links = "mv /var/lib /var/was; ln -s \(outside.path) /var/lib; rm -rf /var/cache; ln -s /usr /var/cache"
    try await TestMachine(script: links, folder: folder).end()
    let again = try TestMachine(script: "echo again > /var/was/again", folder: folder)
    await again.end()
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside.path) == [])
  }

  @Test func `a VM sees neither this machine's processes nor its secrets`() async throws {
    let machine = try TestMachine(
      script: """
        kill -0 \(getpid()) 2> /dev/null && echo seen > process
        test -e /proc/\(getpid())/environ && tr '\\0' '\\n' < /proc/\(getpid())/environ | grep -q MARK && echo seen > environ
        cat /etc/shadow > shadow 2> /dev/null
        ls /root > root; ls /home > home; cat /proc/sys/kernel/hostname > hostname
        """)
    await machine.end()
    #expect(machine.output("environ") == nil)
    #expect(machine.output("shadow") == "")
    #expect(machine.output("root") == "")
    #expect(machine.output("home") == "")
    #expect(machine.output("hostname") == "job-1-x2y4")
  }

  @Test func `all of a VM's processes end with the emulator's, however that ends`() async throws {
    let folder = TestFolder()
    let userData = folder.path + "/user-data"
    folder.prepareDisk()
    try """
    #cloud-config
    runcmd:
    - setsid sh -c 'sleep 1000 & sleep 1000' &
    - mkfifo /var/up
    - docker run --name c --volume /var:/outside ubuntu sh -c 'setsid sleep 1000 & echo > /outside/up; sleep 1000' &
    - read line < /var/up
    - (trap '' TERM HUP; echo > /var/ready; sleep 1000)
    """.write(toFile: userData, atomically: true, encoding: .utf8)
    var spawn = Spawn(TestMachine.fixture, ["emulate", folder.path + "/vm", userData])
    spawn.group = .session
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    spawn.descriptors = [1: null, 2: null]
    let emulator = try spawn.start()
    await folder.ready()
    let tree = descendants(of: emulator)
    #expect(tree.count >= 8)
    let processes = try tree.map { try ProcessDescriptor(pid: $0) }
    kill(emulator, SIGKILL)
    #expect(waitForChild(emulator)?.status == .signaled(SIGKILL))
    for process in processes { #expect(process.hasEnded(within: 10_000), "process \(process.pid) is still there") }
  }

  @Test func `all of a VM's processes have ended when it is said to have`() async throws {
    let machine = try TestMachine(
      userData: TestMachine.userData(
        script: "setsid sleep 1000 & (trap '' TERM; echo > /var/ready; sleep 1000)"))
    await machine.ready()
    let own = descendants(of: getpid()).filter { pid in
      String(decoding: readWholeFile("/proc/\(pid)/cmdline") ?? [], as: UTF8.self).contains(machine.folder.path)
    }
    #expect(own.count == 1)
    let processes = try descendants(of: own[0]).map { try ProcessDescriptor(pid: $0) }
    #expect(processes.count >= 3)
    machine.machine.kill()
    #expect(await machine.end() == [.booted, .ended(.killed)])
    for process in processes { #expect(process.hasEnded()) }
  }

  /// What a machine may lack, in a namespace of the test's own; as root or not.
  static let lacks: [(how: String, words: String)] = [
    ("echo 0 > /proc/sys/user/max_user_namespaces; exec \"$@\"", "gives no user namespace"),
    ("mount -t tmpfs -o noexec none \"$FOLDER\"; exec \"$@\"", "mounted noexec"),
    ("mount --bind /dev/null /usr/bin/bash; exec \"$@\"", "has no bash"),
    ("mount --bind /dev/null /usr/bin/curl; exec \"$@\"", "has no curl"),
    ("mkdir \"$FOLDER/root\"; mount --rbind / \"$FOLDER/root\"; exec chroot \"$FOLDER/root\" \"$@\"", "chroot"),
  ]

  @Test(arguments: lacks.indices)
  func `a VM that cannot boot says why`(index: Int) throws {
    let folder = TestFolder()
    try "#cloud-config\nbootcmd: [poweroff]\n".write(
      toFile: folder.path + "/user-data", atomically: true, encoding: .utf8)
    try makeFolders(folder.path + "/place")
    let lack = Self.lacks[index]
    var spawn = Spawn(
      "unshare",
      ["--user", "--map-root-user", "--mount", "sh", "-c", "set -e; \(lack.how)", "sh", TestMachine.fixture, "emulate"]
        + [folder.path + "/place/vm", folder.path + "/user-data"])
    spawn.environment = ["FOLDER": folder.path + "/place", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    let ended = try spawn.run(timeout: 60)
    #expect(ended.text(1).contains("failed("), "\(ended.text(1)) \(ended.text(2))")
    #expect(ended.text(1).contains(lack.words), "\(ended.text(1)) \(ended.text(2))")
  }

  @Test func `a machine that can have VMs is found to`() async throws {
    let folder = TestFolder()
    #expect(await MachineProbe.problem(program: [TestMachine.fixture, "virtual-machine"], in: folder.path) == nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    let absent = await MachineProbe.problem(program: ["/nonexistent", "virtual-machine"], in: folder.path)
    #expect(absent?.contains("/nonexistent") == true)
  }

  @Test(.enabled(if: getuid() == 0, "not root: the tests themselves are the unprivileged case"))
  func `a user without rights can have VMs`() throws {
    let folder = TestFolder()
    let program = folder.path + "/MachineFixture"
    let script = """
      id -u; touch /usr/escaped; docker run ubuntu sh -c 'echo in a container'; echo > /var/done; poweroff
      """
    try FileManager.default.copyItem(atPath: TestMachine.fixture, toPath: program)
    try TestMachine.userData(script: script).write(
      toFile: folder.path + "/user-data", atomically: true, encoding: .utf8)
    try makeFolders(folder.path + "/own")
    chown(folder.path + "/own", 65534, 65534)
    chmod(folder.path, 0o755)
    let words = ["--reuid", "65534", "--regid", "65534", "--clear-groups", program, "emulate"]
    let result = try Spawn("setpriv", words + [folder.path + "/own/vm", folder.path + "/user-data"]).run(timeout: 60)
    let output = result.text(1)
    if output.contains("gives no user namespace") {
      try Test.cancel("unprivileged user namespaces are forbidden here: NOT TESTED")
    }
    #expect(output.contains("poweredOff"), "\(output) \(result.text(2))")
    let console = try String(contentsOfFile: folder.path + "/own/vm/console.log", encoding: .utf8)
    #expect(console.contains("in a container"))
    #expect(console.contains("Read-only file system"))
    #expect(FileManager.default.fileExists(atPath: folder.path + "/own/vm/disk/var/done"))
  }
}
