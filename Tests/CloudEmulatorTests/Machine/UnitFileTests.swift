import Testing

@testable import CloudEmulator

struct UnitFileTests {
  private func unit(_ text: String) -> UnitFile { UnitFile(name: "job.service", text: text) }

  @Test func `directives are read, and those that are not emulated are noted`() {
    let unit = unit(
      """
      [Unit]
      Description=anything at all: "x"
      After=a.target b.service
      Wants=a.target
      Wants=b.target
      # a comment
      [Service]
      Type=simple
      ExecStart=/bin/bash  /var/x.sh y
      TimeoutStopSec=28
      KillMode=mixed
      StandardOutput=journal+console
      ProtectSystem=strict
      Type=forking
      TimeoutStopSec=soon
      nothing

      """)
    #expect(unit.wants == ["a.target", "b.target"])
    #expect(unit.command == ["/bin/bash", "/var/x.sh", "y"])
    #expect(unit.stopTimeoutSeconds == 28)
    #expect(
      unit.notes == [
        "ProtectSystem=strict is not emulated, and was ignored", "Type=forking is not emulated, and was ignored",
        "TimeoutStopSec=soon is not emulated, and was ignored", "not a directive: nothing",
      ])
  }

  @Test(arguments: ["/bin/sh -c 'a b'", "/bin/echo $X", "/bin/echo %n", #"/bin/echo a\ b"#])
  func `a command that systemd would read as more than words is noted`(line: String) {
    #expect(unit("[Service]\nExecStart=\(line)").notes.count == 1)
  }
}
