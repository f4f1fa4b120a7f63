import Foundation
import Testing

@testable import CloudEmulator

@Suite(.enabled(if: canRunMachines, needsMachines))
struct BootTests {
  @Test func `a boot writes files, then runs commands, then a unit`() async throws {
    let machine = try TestMachine(
      userData: """
        #cloud-config
        bootcmd:
        - mkdir -p /var/out; mkfifo /var/done; test -e /etc/systemd/system/hello.service && echo early > /var/out/wrong
        write_files:
        - path: /etc/systemd/system/hello.service
          permissions: "0644"
          content: |
            [Unit]
            Wants=gcr-online.target docker.socket
            After=gcr-online.target docker.socket
            [Service]
            ExecStart=/bin/sh /var/hello.sh good morning
        - path: /var/hello.sh
          content: |
            echo "$*, HOME is ${HOME-unset}" > /var/out/unit; echo a line; echo > /var/done
        - path: /var/out/secret
          permissions: '0600'
          encoding: gz+b64
          content: H4sIAAAAAAAAA0vPz09RSM7PLShKLS5OTQEAYoYyJA8AAAA=
        runcmd:
        - [systemctl, daemon-reload]
        - [systemctl, start, hello.service]
        - [sh, -c, 'echo "$1" > /var/out/words', sh, "it's $HOME; *"]
        - stat -c %a /var/out/secret > /var/out/mode
        - read line < /var/done; poweroff
        """)
    #expect(await machine.end() == [.booted, .ended(.poweredOff)])
    #expect(machine.output("unit") == "good morning, HOME is unset")
    #expect(machine.output("words") == "it's $HOME; *")
    #expect(machine.output("mode") == "600")
    #expect(machine.output("wrong") == nil)
    #expect(machine.console.contains("a line\n"))
  }

  @Test func `a unit that is enabled starts at the end of the boot, and one that is not there is an error`()
    async throws
  {
    let machine = try TestMachine(
      userData: """
        #cloud-config
        write_files:
        - path: /etc/systemd/system/enabled.service
          content: |
            [Service]
            ExecStart=/bin/sh /var/enabled.sh
        - path: /var/enabled.sh
          content: |
            echo unit >> /var/out/order; echo > /var/ready
        runcmd:
        - mkdir -p /var/out; cd /var/out; systemctl enable enabled; echo $? > statuses
        - cd /var/out; systemctl start --no-block missing; echo $? >> statuses; systemctl mask x; echo $? >> statuses
        - echo runcmd >> /var/out/order
        """)
    await machine.ready()
    machine.machine.shutDown(graceSeconds: 60)
    #expect(await machine.end() == [.booted, .ended(.poweredOff)])
    #expect(machine.output("statuses") == "0\n5\n1")
    #expect(machine.output("order") == "runcmd\nunit")
  }

  @Test(arguments: ["#cloud-config\n- [", "#cloud-config\njust text", "no header\nruncmd: [poweroff]"])
  func `invalid user-data is a boot that does nothing, and says so`(userData: String) async throws {
    let machine = try TestMachine(userData: userData)
    machine.machine.shutDown(graceSeconds: 30)
    #expect(await machine.end() == [.booted, .ended(.poweredOff)])
    #expect(machine.console.contains("the user-data is invalid, and was ignored"))
  }

  @Test func `what is not emulated is noted on the console`() async throws {
    let machine = try TestMachine(
      userData: """
        #cloud-config
        users: [default]
        write_files:
        - {path: /etc/x, owner: "clash:clash", content: x}
        runcmd: [poweroff]
        """)
    await machine.end()
    #expect(machine.console.contains("the key users is not emulated"))
    #expect(machine.console.contains("/etc/x: owner clash:clash was ignored"))
  }

  @Test func `a second boot of the same VM finds its disk, and nothing else`() async throws {
    let folder = TestFolder()
    let script = """
      echo boot >> boots
      cat /proc/sys/kernel/random/boot_id >> ids
      ls /etc/mine /tmp/mine /run/mine /mnt/disks/mine >> left 2> /dev/null
      touch /etc/mine /tmp/mine /run/mine /mnt/disks/mine
      """
    for _ in 0..<2 { try await TestMachine(script: script, folder: folder).end() }
    let last = try TestMachine(script: script, folder: folder)
    await last.end()
    #expect(last.output("boots") == "boot\nboot\nboot")
    let ids = (last.output("ids") ?? "").split(separator: "\n")
    #expect(Set(ids).count == 3)
    #expect(last.output("left") == "")
  }

  @Test func `a reboot from inside boots again, with the same disk`() async throws {
    let machine = try TestMachine(
      userData: TestMachine.userData(script: "echo boot >> boots; [ $(wc -l < boots) = 2 ] && poweroff || reboot"))
    #expect(await machine.end() == [.booted, .booted, .ended(.poweredOff)])
  }

  @Test func `a removed disk is gone, also what nobody may read`() async throws {
    let folder = TestFolder()
    let machine = try TestMachine(script: "mkdir -p a/b; chmod 0 a", folder: folder)
    await machine.end()
    #expect(FileManager.default.fileExists(atPath: folder.path + "/vm/disk"))
    ProcessMachines(MachineOptions(program: []) { _, _ in MachineToken(value: "", expiresAt: Date()) })
      .removeDisk(folder: folder.path + "/vm")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/vm"))
  }

  @Test func `a preemption is told, stops units, and then containers`() async throws {
    let machine = try TestMachine(
      userData: #"""
        #cloud-config
        write_files:
        - path: /etc/systemd/system/unit.service
          content: |
            [Unit]
            After=docker.service
            [Service]
            KillMode=mixed
            ExecStart=/bin/bash /var/unit.sh
        - path: /var/unit.sh
          content: |
            trap 'wait $watch; echo unit >> /var/order; exit' TERM
            mkfifo /var/up
            setsid docker run --name c --volume /var:/outside ubuntu sh -c \
              'trap "echo container >> /outside/order; exit" TERM; echo > /outside/up; while :; do sleep 0.05; done' &
            read < /var/up
            url=http://metadata.google.internal/computeMetadata/v1/instance/preempted flavor='Metadata-Flavor: Google'
            tag=$(curl -sf -D - -o /dev/null -H "$flavor" "$url" | tr -d '\r' | sed -n 's/^ETag: //p')
            curl -sf -H "$flavor" "$url?wait_for_change=true&last_etag=$tag" > /var/preempted & watch=$!
            echo > /var/ready; while :; do sleep 0.05; done
        runcmd:
        - systemctl start unit.service
        """#, isSpot: true)
    await machine.ready()
    machine.machine.preempt(graceSeconds: 30)
    #expect(await machine.end() == [.booted, .ended(.poweredOff)])
    let disk = machine.folder.path + "/vm/disk/var/"
    #expect(try String(contentsOfFile: disk + "order", encoding: .utf8) == "unit\ncontainer\n")
    #expect(try String(contentsOfFile: disk + "preempted", encoding: .utf8) == "TRUE")
  }

  @Test func `a VM that does not shut down in time is killed`() async throws {
    let machine = try TestMachine(
      userData: """
        #cloud-config
        write_files:
        - path: /etc/systemd/system/stubborn.service
          content: |
            [Service]
            ExecStart=/bin/sh /var/stubborn.sh
        - path: /var/stubborn.sh
          content: |
            trap "" TERM; echo > /var/ready; while :; do sleep 0.05; done
        runcmd:
        - systemctl start stubborn
        """)
    await machine.ready()
    machine.machine.shutDown(graceSeconds: 0.2)
    #expect(await machine.end() == [.booted, .ended(.killed)])
  }

  @Test func `a unit that ignores its SIGTERM is killed after TimeoutStopSec`() async throws {
    let machine = try TestMachine(
      userData: """
        #cloud-config
        write_files:
        - path: /etc/systemd/system/stubborn.service
          content: |
            [Service]
            TimeoutStopSec=0.1
            ExecStart=/bin/sh /var/stubborn.sh
        - path: /var/stubborn.sh
          content: |
            trap "" TERM; echo > /var/ready; while :; do sleep 0.05; done
        runcmd:
        - systemctl start stubborn
        """)
    await machine.ready()
    machine.machine.shutDown(graceSeconds: 60)
    #expect(await machine.end() == [.booted, .ended(.poweredOff)])
    #expect(machine.console.contains("has not ended after 0.1 s: killed"))
  }
}
