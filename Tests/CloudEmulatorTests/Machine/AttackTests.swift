import Foundation
import Processes
import Testing

@testable import CloudEmulator

/// A VM, and a container in it, try to get something of the machine. Each attempt must fail.
@Suite(.enabled(if: canRunMachines && canAttack, needsMachines))
struct AttackTests {
  /// A call that must be refused: with EPERM or ENOSYS, not because its arguments are nonsense.
  struct SystemCall {
    var name: String
    var number: Int
    /// Words of perl.
    var arguments: String

    init(_ name: String, _ x86: Int, _ arm: Int, _ arguments: String = "0, 0, 0, 0, 0") {
      self.name = name
      #if arch(x86_64)
        number = x86
      #else
        number = arm
      #endif
      self.arguments = arguments
    }

    /// Succeeds where the call was not refused.
    var command: String {
      "perl -e 'use Errno; syscall(\(number), \(arguments)) == -1 && ($!{EPERM} || $!{ENOSYS}) and exit 1; exit 0'"
    }
  }

  static let calls: [SystemCall] = [
    .init("mount", 165, 40, #""none", "/mnt", "tmpfs", 0, 0"#),
    .init("mount bind", 165, 40, #""/var", "/mnt", 0, 4096, 0"#),
    .init("remount", 165, 40, #""none", "/usr", 0, 4128, 0"#),
    .init("mount proc", 165, 40, #""proc", "/mnt", "proc", 0, 0"#),
    .init("umount", 166, 39, #""/usr", 2"#), .init("umount /proc/sys", 166, 39, #""/proc/sys", 2"#),
    .init("umount /proc", 166, 39, #""/proc", 2"#), .init("umount /.kernel", 166, 39, #""/.kernel", 2"#),
    .init("umount /", 166, 39, #""/", 2"#), .init("pivot_root", 155, 41, #""/var", "/var""#),
    .init("open_tree", 428, 428, #"-100, "/var", 1"#), .init("move_mount", 429, 429),
    .init("fsopen", 430, 430, #""proc", 0"#), .init("fsconfig", 431, 431), .init("fsmount", 432, 432),
    .init("fspick", 433, 433, #"-100, "/", 0"#), .init("mount_setattr", 442, 442),
    .init("unshare user", 272, 97, "0x10000000"), .init("unshare mount", 272, 97, "0x20000"),
    .init("unshare net", 272, 97, "0x40000000"), .init("unshare pid", 272, 97, "0x20000000"),
    .init("clone user", 56, 220, "0x10000011, 0, 0, 0, 0"), .init("clone mount", 56, 220, "0x20011, 0, 0, 0, 0"),
    .init("clone3", 435, 435), .init("setns", 308, 268, "0, 0"),
    .init("ptrace", 101, 117, "16, 1, 0, 0"), .init("ptrace itself", 101, 117, "0, 0, 0, 0"),
    .init("process_vm_readv", 310, 270, "1, 0, 0, 0, 0, 0"), .init("process_vm_writev", 311, 271, "1, 0, 0, 0, 0, 0"),
    .init("pidfd_getfd", 438, 438), .init("kcmp", 312, 272),
    .init("init_module", 175, 105), .init("finit_module", 313, 273), .init("delete_module", 176, 106, #""loop", 0"#),
    .init("kexec_load", 246, 104), .init("kexec_file_load", 320, 294),
    .init("reboot", 169, 142, "0xfee1dead, 672274793, 0x89abcdef"),
    .init("bpf", 321, 280), .init("perf_event_open", 298, 241), .init("userfaultfd", 323, 282, "1"),
    .init("io_uring_setup", 425, 425), .init("add_key", 248, 217), .init("request_key", 249, 218),
    .init("keyctl", 250, 219), .init("open_by_handle_at", 304, 265), .init("name_to_handle_at", 303, 264),
    .init("swapon", 167, 224, #""/var/swap", 0"#), .init("swapoff", 168, 225, #""/var/swap""#),
    .init("acct", 163, 89, #""/var/acct""#), .init("quotactl", 179, 60), .init("syslog", 103, 116, "3, 0, 0"),
    .init("vhangup", 153, 58), .init("settimeofday", 164, 170), .init("clock_settime", 227, 112),
    .init("adjtimex", 159, 171), .init("personality", 135, 92, "0x0040000"), .init("fanotify_init", 300, 262),
    .init("move_pages", 279, 239), .init("sethostname", 170, 161, #""evil", 4"#),
    .init("type into a terminal", 16, 29, #"0, 0x5412, "x""#), .init("vsock", 41, 198, "40, 1, 0"),
    .init("block device", 259, 33, #"-100, "/var/out/block", 0060644, 0x800"#),
    .init("character device", 259, 33, #"-100, "/var/out/character", 0020644, 0x101"#),
    .init("statmount", 457, 457), .init("listmount", 458, 458),
  ]

  struct Attack: Sendable {
    var name: String
    var command: String

    init(_ name: String, _ command: String) {
      self.name = name
      self.command = command
    }
  }

  static func attacks(outside: String) -> [Attack] {
    let host = getpid()
    let writes: [String] = [
      "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/kernel/sysrq",
      "/proc/sys/kernel/modprobe", "/proc/sys/kernel/panic", "/proc/sys/kernel/random/boot_id",
      "/proc/sys/vm/drop_caches", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/fs/file-max", "/proc/sysrq-trigger",
      "/proc/irq/default_smp_affinity", "/proc/1/mem", "/sys/power/state",
      "/sys/kernel/mm/ksm/run", "/sys/devices/system/cpu/cpu0/online", "/proc/mtrr", "/dev/mem", "/dev/kmem",
      "/proc/bus/pci/devices", "/proc/self/uid_map", "/proc/self/gid_map",
    ]
    let reads: [String] = [
      "/proc/kcore", "/proc/kallsyms", "/proc/keys", "/proc/kmsg", "/proc/iomem", "/proc/timer_list", "/proc/1/environ",
      "/proc/1/mem", "/proc/\(host)/environ", "/proc/\(host)/cmdline", "/etc/shadow", "\(outside)/mark",
      "/proc/1/root\(outside)/mark", "/sys/firmware/dmi/tables/DMI", "/sys/class/net/lo/address", "/dev/sda",
      "/dev/vda",
    ]
    var attacks = calls.map { Attack($0.name, $0.command) }
    for path in writes {
      attacks.append(Attack("write \(path)", "test -e \(path) && (printf 1 > \(path)) 2> /dev/null"))
    }
    for path in reads {
      attacks.append(Attack("read \(path)", "[ -n \"$(head -c 1 \(path) 2> /dev/null | tr '\\0' x)\" ]"))
    }
    let others: [Attack] = [
      Attack("signal the host", "kill -0 \(host)"),
      Attack("list of /proc/irq", "[ -n \"$(ls /proc/irq 2> /dev/null)\" ]"),
      Attack("list of /proc/bus", "[ -n \"$(ls /proc/bus 2> /dev/null)\" ]"),
      Attack("list of /sys/kernel", "[ -n \"$(ls /sys/kernel 2> /dev/null)\" ]"),
      Attack("list of /sys/fs", "[ -n \"$(ls /sys/fs 2> /dev/null)\" ]"),
      Attack("list of /.kernel/uncovered", "[ -n \"$(ls /.kernel/uncovered 2> /dev/null)\" ]"),
      Attack("write /usr", "touch /usr/evil"), Attack("write /", "touch /evil"),
      Attack("write /sys", "touch /sys/evil"),
      Attack("new privileges", "! grep -q '^NoNewPrivs:.1' /proc/self/status"),
      Attack("no filter", "! grep -q '^Seccomp:.2' /proc/self/status"),
      Attack("capabilities", "! grep -q '^CapBnd:.00000000a80425fb' /proc/self/status"),
      Attack("effective", "perl -ne 'exit 1 if /^CapEff:\\s+(\\w+)/ && !(hex($1) & ~0xa80425fb)' /proc/self/status"),
      Attack("mount by name", "mount -t tmpfs none /mnt"), Attack("nsenter", "nsenter -t 1 -m true"),
      Attack("unshare", "unshare --user --map-root-user true"),
      Attack("root of this machine", getuid() == 0 ? "grep -q '^ *0 *0 ' /proc/self/uid_map" : "false"),
    ]
    return attacks + others
  }

  @Test func `a VM and a container in it get nothing of the machine`() async throws {
    let outside = TestFolder()
    try "seen".write(toFile: outside.path + "/mark", atomically: true, encoding: .utf8)
    let commands = Self.attacks(outside: outside.path)
    var script = "out=$1\n"
    for attack in commands {
      script +=
        "( \(attack.command) ) > /dev/null 2>&1 && echo '\(attack.name)' >> $out.succeeded; echo x >> $out.tried\n"
    }
    let machine = try TestMachine(
      script: """
        echo \(Data(script.utf8).base64EncodedString()) | base64 -d > /var/attack.sh
        bash /var/attack.sh /var/out/vm
        docker run --volume /var:/var --env A=1 ubuntu bash /var/attack.sh /var/out/container
        docker run --volume /var/out:/var/out ubuntu bash -c 'echo $$ > /var/out/pid; ls /proc > /var/out/processes'
        """)
    #expect(await machine.end() == [.booted, .ended(.poweredOff)])
    // Its root, its first process and an empty folder are a container's own.
    let ofContainer: Set = ["read /proc/1/environ", "write /", "write /sys"]
    for place in ["vm", "container"] {
      let succeeded = machine.output("\(place).succeeded")?.split(separator: "\n").map(String.init) ?? []
      #expect(succeeded.filter { place == "vm" || !ofContainer.contains($0) } == [], "in the \(place)")
      #expect(
        machine.output("\(place).tried")?.split(separator: "\n").count == commands.count,
        "in the \(place): \(machine.console)")
    }
    // A container has processes of its own.
    #expect(machine.output("pid") == "1")
    #expect(machine.output("processes")?.split(separator: "\n").contains("1") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside.path) == ["mark"])
    if getuid() == 0 {
      let attributes = try FileManager.default.attributesOfItem(atPath: machine.folder.path + "/vm/disk/var/attack.sh")
      let owner = try #require(attributes[.ownerAccountID] as? Int)
      #expect(owner >= 65534, "what the VM writes belongs to \(owner)")
    }
  }

  @Test func `ids of a VM are nobody's, whatever ids root has`() {
    func own(_ map: String) -> MachineIdentity { .own("/vm", users: Array(map.utf8), groups: Array(map.utf8)) }
    let whole = own("         0          0 4294967295\n")
    #expect(whole.count == 65536 && whole.first >= 0x6000_0000 && whole.first % 65536 == 0)
    #expect(own("0 100000 65536\n") == MachineIdentity(first: 65534, count: 1))
    #expect(own("0 100000 1000\n") == MachineIdentity(first: 999, count: 1))
    #expect(own("0 1000 1\n") == MachineIdentity(first: 0, count: 1))
    #expect(own("") == MachineIdentity(first: 0, count: 1))
    #expect(own("0 0 4294967295\n4294967295 7 4294967295\n") == whole)
    #expect(whole.owns(whole.first) && whole.owns(whole.first + 65535) && !whole.owns(whole.first - 1))
    #expect(whole.owns(0) && !whole.owns(1000) && !whole.owns(.max))
  }
}

/// Calls are made by perl, which every Debian has.
private let canAttack = access("/usr/bin/perl", X_OK) == 0
