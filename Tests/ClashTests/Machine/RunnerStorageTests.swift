import Dagrun
import Foundation
import Testing

@testable import Clash

/// Directories of Cloud Storage, and logs.
@Suite struct RunnerStorageTests {
  /// Sets `$out` to the folder that is mounted there.
  static func mounted(_ directory: String) -> String {
    "out=$(tr '\\0' '\\n' <$WORLD/mounts | sed -n '\\|^\(directory)$|{n;p;}')\n"
  }

  @Test func `outputs are copied with all their folders, byte for byte`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.outputs = ["/out": "gs://a-bucket/models/day 1"] },
      program: Self.mounted("/out") + """
        mkdir -p "$out/a/b#1"; printf 'x\\0y' >"$out/a/b#1/ü %41?&=\\"'[{$.bin"; echo dot >"$out/.hidden"
        ln -s /etc/passwd "$out/link"; head -c 100000 /dev/urandom >"$out/large"; cp "$out/large" $WORLD/large
        """)
    defer { machine.remove() }
    try machine.run(["DAGRUN_PIECE_BYTES": "32768"])
    #expect(try machine.result().status == 0)
    #expect(try machine.result().infrastructure == nil, "\(machine.console)")
    let objects = machine.cloud.read { $0.objects }
    #expect(
      Set(objects.keys) == [
        "a-bucket/models/day 1/a/b#1/ü %41?&=\"'[{$.bin", "a-bucket/models/day 1/.hidden",
        "a-bucket/models/day 1/large",
      ])
    #expect(objects["a-bucket/models/day 1/a/b#1/ü %41?&=\"'[{$.bin"] == Data("x\0y".utf8))
    #expect(objects["a-bucket/models/day 1/large"] == machine.data("large"))
  }

  @Test func `a large upload continues where it was interrupted`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.outputs = ["/out": "a-bucket"] },
      program: Self.mounted("/out") + "head -c 100000 /dev/urandom >\"$out/large\"; cp \"$out/large\" $WORLD/large")
    defer { machine.remove() }
    let pieces = Counter()
    machine.cloud.change {
      $0.fault = { request in
        guard request.path.hasPrefix("/session/"), pieces.next() == 2 else { return nil }
        return .failure(503, "later")
      }
    }
    try machine.run(["DAGRUN_PIECE_BYTES": "32768"])
    #expect(machine.cloud.read { $0.objects["a-bucket/large"] } == machine.data("large"))
  }

  @Test(arguments: [(0, false), (1, true)])
  func `an empty output directory fails the job`(status: Int, onFailure: Bool) throws {
    let machine = try StandInMachine(
      machineSpec {
        $0.outputs = ["/out": "a-bucket/x"]
        $0.config.uploadsOutputsOnFailure = onFailure
      }, program: Self.mounted("/out") + "mkdir \"$out/empty\"; exit \(status)")
    defer { machine.remove() }
    try machine.run()
    let result = try machine.result()
    #expect(result.infrastructure?.kind == .outputs)
    #expect(result.infrastructure?.message == "the output directory /out is missing or empty")
    #expect(result.status == status)
  }

  @Test(arguments: [true, false])
  func `a failed command's outputs are copied only if asked`(isAsked: Bool) throws {
    let machine = try StandInMachine(
      machineSpec {
        $0.outputs = ["/out": "a-bucket/x"]
        $0.config.uploadsOutputsOnFailure = isAsked
      }, program: Self.mounted("/out") + "echo 1 >\"$out/1\"; exit 5")
    defer { machine.remove() }
    try machine.run()
    let result = try machine.result()
    #expect(result.status == 5)
    #expect(result.infrastructure == nil)
    #expect(machine.cloud.read { $0.objects.keys.sorted() } == (isAsked ? ["a-bucket/x/1"] : []))
  }

  @Test func `a refused upload fails the job and says what is missing`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.outputs = ["/out": "a-bucket/x"] }, program: Self.mounted("/out") + "echo 1 >\"$out/1\"")
    defer { machine.remove() }
    machine.cloud.change { $0.fault = { $0.path.hasPrefix("/upload") ? .failure(403, "no access") : nil } }
    try machine.run()
    let failure = try machine.result().infrastructure
    #expect(failure?.kind == .outputs)
    #expect(failure?.message.contains("HTTP 403: no access") == true)
    #expect(failure?.message.contains("storage.objectUser") == true)
  }

  @Test func `mounts are copied in, over all pages, whatever the names`() throws {
    let names = [
      "plain.txt", "a/b/c", "emoji 🚀.txt", "quote\"s'and\\slashes", "tab\there", "per%20cent#1?&=+", "ünïcode", "-dash",
      "{a,b}[1-3]", "folder/", " blank ",
    ]
    let machine = try StandInMachine(
      machineSpec { $0.mounts = ["a-bucket/in put": "/data"] },
      program: Self.mounted("/data") + "cp -r \"$out\" $WORLD/copied")
    defer { machine.remove() }
    machine.cloud.change { world in
      for name in names where !name.hasSuffix("/") { world.objects["a-bucket/in put/" + name] = Data(name.utf8) }
      world.objects["a-bucket/in put/folder/"] = Data()
      world.objects["a-bucket/elsewhere"] = Data("no".utf8)
    }
    try machine.run()
    #expect(try machine.result().status == 0, "\(machine.console)")
    for name in names where !name.hasSuffix("/") { #expect(machine.data("copied/" + name) == Data(name.utf8)) }
    var isFolder: ObjCBool = false
    #expect(FileManager.default.fileExists(atPath: machine.folder + "/copied/folder", isDirectory: &isFolder))
    #expect(isFolder.boolValue)
    let copied = try FileManager.default.subpathsOfDirectory(atPath: machine.folder + "/copied")
    #expect(copied.count == names.count + 2)
  }

  @Test(arguments: ["x/../../../../etc/passwd", "a//b", "./a"])
  func `an object whose name leads elsewhere is refused`(name: String) throws {
    let machine = try StandInMachine(machineSpec { $0.mounts = ["a-bucket/in": "/data"] })
    defer { machine.remove() }
    machine.cloud.change { $0.objects["a-bucket/in/" + name] = Data("x".utf8) }
    try machine.run()
    #expect(try machine.result().infrastructure?.kind == .inputs)
    #expect(machine.data("runs") == nil)
  }

  @Test func `a mount without objects fails the job before its container`() throws {
    let machine = try StandInMachine(machineSpec { $0.mounts = ["a-bucket/in": "/data"] })
    defer { machine.remove() }
    try machine.run()
    let failure = try machine.result().infrastructure
    #expect(failure?.kind == .inputs)
    #expect(failure?.message == "there is nothing in gs://a-bucket/in/")
    #expect(machine.data("runs") == nil)
  }

  @Test func `gcsfuse comes before the image's own command`() throws {
    let machine = try StandInMachine(
      machineSpec(.image) {
        $0.mounts = ["a-bucket/in": "/data"]
        $0.config.mountMethod = .gcsfuse
      }, program: "exec sh -c \"$(sed 's|/dagrun/|$INSIDE/|g' $INSIDE/mount-entry)\"")
    defer { machine.remove() }
    try machine.write("image-entrypoint", "/entry\0with blank\0")
    try machine.write("image-command", "serve\0line\nbreak\0")
    try machine.run()
    #expect(machine.text("entrypoint") == "/bin/sh")
    #expect(machine.values("arguments") == ["/dagrun/mount-entry", "/entry", "with blank", "serve", "line\nbreak"])
    #expect(machine.values("options").contains("--privileged"))
    let result = try machine.result()
    #expect(result.infrastructure?.kind == .inputs)
    #expect(result.infrastructure?.message.contains("the image has no gcsfuse") == true)
  }

  @Test func `a log of 10 MB comes whole, and the result has its end, cut characters and all`() throws {
    let machine = try StandInMachine(
      machineSpec(),
      program: """
        head -c 5000000 /dev/urandom | base64 -w 100; printf '%0.sä' {1..40000}; printf '\\xc3'
        """)
    defer { machine.remove() }
    try machine.run()
    let result = try machine.result()
    #expect(result.logBytes > 6_800_000)
    #expect(machine.log.count == result.logBytes)
    #expect(result.logTail.count == 65_536)
    #expect(result.logTail == Array(machine.log.suffix(65_536)))
    #expect(machine.messages("log").allSatisfy { $0.data.count <= 1 << 20 })
  }

  @Test func `the whole log goes to Cloud Storage if asked`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.config.logDestination = .cloudStorage(path: "a-bucket/logs") }, program: "echo line; exit 2")
    defer { machine.remove() }
    try machine.run()
    #expect(try machine.result().status == 2)
    #expect(machine.cloud.read { $0.objects } == ["a-bucket/logs/a-job/attempt-3.log": Data("line\n".utf8)])
  }

  @Test func `a log that cannot be kept does not hide the status`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.config.logDestination = .cloudStorage(path: "a-bucket/logs") }, program: "echo line; exit 2")
    defer { machine.remove() }
    machine.cloud.change { $0.fault = { $0.path.hasPrefix("/upload") ? .failure(403, "no") : nil } }
    try machine.run()
    let result = try machine.result()
    #expect(result.status == 2)
    #expect(String(decoding: result.logTail, as: UTF8.self).contains("the whole log could not be kept"))
  }

  @Test func `lines go to Cloud Logging as they are, and broken characters as such`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.config.logDestination = .cloudLogging },
      program: """
        printf 'plain\\n"quoted" \\\\ back\\ttab\\001\\n'; sleep 0.4; printf 'half '; sleep 0.3
        printf 'line ü €🚀\\n\\xc3(\\xff\\xe0\\x80\\x80\\n\\nend'
        """)
    defer { machine.remove() }
    try machine.run()
    #expect(try machine.result().status == 0)
    #expect(
      machine.cloud.read { $0.logEntries } == [
        "plain", "\"quoted\" \\ back\ttab\u{1}", "half line ü €🚀", "\u{FFFD}(\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}", "",
        "end",
      ])
  }

  @Test func `each line is in Cloud Logging once, also those of the last moment`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.config.logDestination = .cloudLogging }, program: "seq 20000; sleep 0.3; seq 20001 60000")
    defer { machine.remove() }
    try machine.run(["DAGRUN_LOG_SECONDS": "0.01"])
    #expect(try machine.result().status == 0)
    #expect(machine.cloud.read { $0.logEntries }.count == 60_000)
  }
}
