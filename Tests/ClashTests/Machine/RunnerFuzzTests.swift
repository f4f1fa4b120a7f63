import Dagrun
import Foundation
import Testing

@testable import Clash

/// Whatever a job's values hold, its container gets them byte for byte, and what comes back is what it said.
///
/// `DAGRUN_FUZZ_SEED` repeats one run, `DAGRUN_FUZZ_ROUNDS` makes more of them.
@Suite struct RunnerFuzzTests {
  static let variables = ProcessInfo.processInfo.environment
  static let firstSeed = variables["DAGRUN_FUZZ_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000_000)
  static let rounds = variables["DAGRUN_FUZZ_ROUNDS"].flatMap { UInt64($0) } ?? 6

  @Test(arguments: (0..<rounds).map { firstSeed + $0 })
  func `what the container receives is what was asked`(seed: UInt64) throws {
    print("fuzz of the runner: DAGRUN_FUZZ_SEED=\(seed) DAGRUN_FUZZ_ROUNDS=1")
    var random = Fuzz(seed: seed)
    let spec = random.spec()
    let output = random.text(upTo: 400)
    let printed = random.bytes(upTo: 3_000)
    let status = Int.random(in: 0...255, using: &random)
    let names = (0..<4).map { _ in random.fileName() }
    let uploads = Dictionary(names.map { ($0, random.bytes(upTo: 200)) }) { $1 }

    let machine = try StandInMachine(spec, program: program)
    defer { machine.remove() }
    try Data(output.utf8).write(to: URL(fileURLWithPath: machine.folder + "/say-output"))
    try printed.write(to: URL(fileURLWithPath: machine.folder + "/say-log"))
    try machine.write("say-status", "\(status)")
    try FileManager.default.createDirectory(
      atPath: machine.folder + "/say-files", withIntermediateDirectories: true)
    for (name, data) in uploads { try data.write(to: URL(fileURLWithPath: machine.folder + "/say-files/" + name)) }
    var copies: [String: Data] = [:]
    for bucketPath in spec.mounts.keys {
      let path = try BucketPath(bucketPath)
      for _ in 0..<3 {
        let name = random.fileName()
        copies["\(path.bucket)/\(path.prefix)\(name)"] = random.bytes(upTo: 100)
      }
    }
    machine.cloud.change { world in
      world.objects = copies
      for (_, reference) in spec.config.secrets {
        world.secrets["projects/a-project/secrets/\(reference)/versions/latest"] = Data("s \(reference)\n".utf8)
      }
    }
    try machine.run()

    let result = try machine.result()
    #expect(result.status == status, "\(machine.console)")
    #expect(result.infrastructure == nil)
    #expect(result.output == (output.isEmpty ? nil : output))
    #expect(result.logTail == Array(printed))
    #expect(machine.log == printed)

    let command = try ContainerCommand(spec.command, entrypoint: spec.config.entrypoint)
    #expect(machine.text("image") == spec.config.image)
    #expect(machine.data("entrypoint").map { String(decoding: $0, as: UTF8.self) } == command.entrypoint)
    #expect(machine.data("arguments") == ZeroTerminated(command.arguments).data)
    if let script = command.script { #expect(machine.data("inside/\(script.name)") == script.contents) }
    var expected = spec.allEnvironment.map { "\($0.key)=\($0.value)" } + ["DAGRUN_OUTPUT=/dagrun/output"]
    expected += spec.config.secrets.map { "\($0.key)=s \($0.value)\n" }
    #expect(Set(machine.values("environment").map { Data($0.utf8) }) == Set(expected.map { Data($0.utf8) }))

    let mounts = machine.values("mounts")
    let targets = stride(from: 0, to: mounts.count, by: 2).map { mounts[$0] }
    let directories = ["/dagrun"] + spec.mounts.values + spec.outputs.keys
    #expect(Set(targets.map { Data($0.utf8) }) == Set(directories.map { Data($0.utf8) }))
    for (bucketPath, directory) in spec.mounts {
      let path = try BucketPath(bucketPath)
      let index = try #require(targets.firstIndex(of: directory))
      let prefix = "\(path.bucket)/\(path.prefix)"
      for (object, data) in copies where object.hasPrefix(prefix) {
        let file = "copied-\(index)/" + object.dropFirst(prefix.count)
        #expect(machine.data(file) == data, "\(object)")
      }
    }
    let objects = machine.cloud.read { $0.objects }
    for bucketPath in spec.outputs.values where status == 0 || spec.config.uploadsOutputsOnFailure {
      let path = try BucketPath(bucketPath)
      for (name, data) in uploads { #expect(objects["\(path.bucket)/\(path.prefix)\(name)"] == data, "\(name)") }
    }
  }

  /// Copies what it finds in its mounts, fills its outputs, and says what it was told to.
  let program = #"""
    mapfile -d '' -t mounts <"$WORLD/mounts"
    for ((index = 0; index < ${#mounts[@]}; index += 2)); do
      case ${mounts[index + 1]} in
        */outputs/*) cp -r "$WORLD/say-files/." "${mounts[index + 1]}/" ;;
        */mounts/*) cp -r "${mounts[index + 1]}" "$WORLD/copied-$((index / 2))" ;;
      esac
    done
    cat "$WORLD/say-output" >"$INSIDE/output"
    cat "$WORLD/say-log"
    exit "$(<"$WORLD/say-status")"
    """#
}

/// Random jobs full of what trips programs up.
struct Fuzz: RandomNumberGenerator {
  private var random: SplitMix

  init(seed: UInt64) { random = SplitMix(seed: seed) }

  mutating func next() -> UInt64 { random.next() }

  mutating func chance(_ count: Int, of: Int) -> Bool { Int.random(in: 0..<of, using: &self) < count }
  mutating func pick<Element>(_ elements: [Element]) -> Element { elements.randomElement(using: &self)! }

  private static let snippets = [
    "$(touch /tmp/x)", "`id`", "${HOME}", "$HOME", "'", "\"", "\\", "\\n", "\n", "\r\n", "\r", "\t", " ", "  ", ";",
    "&&", "|",
    "*", "?", "[a-z]", "{a,b}", "~", "#", "!", "%s", "%41", "--", "-x", "---", ": ", "- ", "\u{1}", "\u{1b}[31m",
    "\u{7f}",
    "\u{85}", "\u{2028}", "\u{FEFF}", "ü", "e\u{301}", "漢字", "🚀", "👩‍👩‍👧", "<<EOF\nx\nEOF", "{{ ds }}", ",", "=", "\"\"",
    "/", "//", "..", "a", "Z", "0", "#cloud-config\n", "write_files:\n", "&", "<", ">", "()", "null", "\u{10FFFF}",
  ]

  mutating func text(upTo length: Int) -> String {
    var text = ""
    let wanted = Int.random(in: 0...length, using: &self)
    while text.utf8.count < wanted { text += pick(Self.snippets) }
    return text
  }

  mutating func bytes(upTo length: Int) -> Data {
    Data((0..<Int.random(in: 0...length, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) })
  }

  /// For the last part of an object's name and of a path on disk: no slash and no line break, at most 200 bytes.
  mutating func fileName() -> String {
    let text = text(upTo: 40).filter { !"/\n\r\r\n".contains($0) }
    let name = String(text.unicodeScalars.filter { $0 != "/" && $0 != "\n" && $0 != "\r" })
    return name.isEmpty || name == "." || name == ".." ? "plain" : name
  }

  mutating func directory() -> String {
    let parts = (0..<Int.random(in: 1...3, using: &self)).map { _ in
      let part = text(upTo: 20).unicodeScalars.filter { $0 != "/" && $0 != "\r" }
      return part.isEmpty || String(part) == "." || String(part) == ".." ? "d" : String(part)
    }
    return "/x" + parts.joined(separator: "/")
  }

  mutating func bucketPath() -> String {
    let path = text(upTo: 20).unicodeScalars.filter { $0 != "\n" && $0 != "\r" && $0 != "/" }
    return pick(["a-bucket", "b_u.c-k3t", "gs://000"]) + pick(["", "/", "/p/", "/p/q"])
      + (path.isEmpty ? "" : "/\(String(path))")
  }

  mutating func variableName() -> String {
    if chance(1, of: 3) {
      return pick([
        "PATH", "HOME", "LD_PRELOAD", "DOCKER_HOST", "BASH_ENV", "IFS", "LC_ALL", "A", "log", "work", "SHELLOPTS", "_",
        "attempt", "1", "-i", "a.b", "http_proxy", "BASH_FUNC_x%%", "UID", "PS4", "GODEBUG",
      ])
    }
    let name = text(upTo: 12).filter { $0 != "=" }
    return name.isEmpty ? "NAME" : name
  }

  mutating func spec() -> JobSpec {
    let large = chance(1, of: 4)
    let command: JobCommand =
      switch Int.random(in: 0..<4, using: &self) {
      case 0: .arguments((0..<Int.random(in: 0...6, using: &self)).map { _ in text(upTo: large ? 20_000 : 60) })
      case 1: .script(pick(["", "#!/bin/bash\n", "#!/usr/bin/env -S x  y\n"]) + text(upTo: large ? 200_000 : 300))
      case 2:
        .file(
          name: "f/" + fileName() + ".py", contents: bytes(upTo: large ? 150_000 : 300),
          arguments: (0..<3).map { _ in text(upTo: 30) })
      case _: .image
      }
    var config = JobConfig(project: "a-project", image: "host:5000/an/image:1.0")
    if chance(1, of: 3) { config.entrypoint = text(upTo: 20) }
    if chance(1, of: 3) { config.isPrivileged = true }
    config.uploadsOutputsOnFailure = chance(1, of: 2)
    config.labels = ["ünï-\(Int.random(in: 0..<9, using: &self))": "漢字_x"]
    var spec = JobSpec(config: config, command: command)
    for _ in 0..<Int.random(in: 0...8, using: &self) { spec.environment[variableName()] = text(upTo: 80) }
    for _ in 0..<Int.random(in: 0...2, using: &self) {
      let name = variableName()
      if spec.environment[name] == nil { spec.config.secrets[name] = "secret-\(Int.random(in: 0..<99, using: &self))" }
    }
    if chance(1, of: 2) { spec.mounts[bucketPath()] = directory() }
    if chance(1, of: 2) { spec.mounts[bucketPath()] = directory() + "/m2" }
    for _ in 0..<Int.random(in: 0...2, using: &self) { spec.outputs[directory() + "/o"] = bucketPath() }
    return spec
  }
}
