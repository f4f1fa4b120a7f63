import Testing

@testable import CloudEmulator

struct UnitFileTests {
  private func unit(_ text: String, name: String = "job.service") -> UnitFile {
    UnitFile(name: name, text: text, hostName: "vm")
  }

  @Test func `directives are read, and those that are not emulated are noted`() {
    let unit = unit(
      """
      [Unit]
      After=a.target b.service
      After=c.service
      Wants=a.target
      ConditionPathExists=!/var/done
      # a comment
      [Service]
      Type=oneshot
      ExecStart=/bin/sh -c "echo \\
        x"
      Restart=on-failure
      TimeoutStopSec=1min 30s
      KillMode=mixed
      KillSignal=SIGINT
      StandardOutput=append:/var/log/%N.log
      ProtectSystem=strict
      Type=forking
      """)
    #expect(unit.after == ["a.target", "b.service", "c.service"])
    #expect(unit.conditions == [.init(path: "/var/done", isNegated: true)])
    #expect(unit.service.kind == .oneshot)
    #expect(unit.service.start.map(\.words) == [["/bin/sh", "-c", "echo  x"]])
    #expect(unit.service.restart == .onFailure)
    #expect(unit.service.stopTimeoutSeconds == 90)
    #expect(unit.service.killMode == .mixed)
    #expect(unit.service.killSignal == 2)
    #expect(unit.service.output == .file("/var/log/job.log", appends: true, truncates: false))
    #expect(
      unit.notes == [
        "[Service] ProtectSystem is not emulated, and was ignored", "Type=forking is not emulated, and was ignored",
      ])
  }

  @Test func `an empty value forgets what was before it`() {
    #expect(
      unit("[Service]\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b").service.start.map(\.words) == [["/bin/b"]])
  }

  @Test(arguments: [
    ("/bin/echo $LIST end", ["/bin/echo", "one", "two words", "end"]),
    ("/bin/echo ${LIST} x$ONE", ["/bin/echo", "one 'two words'", "x1"]),
    ("/bin/echo $$ONE 100%% %n", ["/bin/echo", "$ONE", "100%", "job.service"]),
    ("-/bin/echo 'a \"b\"' \"c d\" e\\ f", ["/bin/echo", "a \"b\"", "c d", "e f"]),
    (":/bin/echo $ONE", ["/bin/echo", "$ONE"]),
    ("/bin/echo $NONE end", ["/bin/echo", "end"]),
  ])
  func `a command's words are as systemd makes them`(line: String, words: [String]) {
    let command = unit("[Service]\nExecStart=\(line)").service.start[0]
    #expect(command.arguments(["LIST": "one 'two words'", "ONE": "1"]) == words)
  }

  @Test(arguments: [("90", 90), ("500ms", 0.5), ("1min 30s", 90), ("2h", 7200)])
  func `time spans have units`(text: String, seconds: Double) { #expect(UnitTimeSpan(text)?.seconds == seconds) }

  @Test func `a time span may be endless, or none at all`() {
    #expect(UnitTimeSpan("infinity") != nil && UnitTimeSpan("infinity")?.seconds == nil)
    #expect(UnitTimeSpan("soon") == nil)
  }
}
