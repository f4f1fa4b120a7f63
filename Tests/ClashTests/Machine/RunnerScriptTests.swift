import Foundation
import Processes
import Testing

@testable import Clash

@Suite struct RunnerScriptTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../Sources/Clash/Machine/Script")

  private static func source(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }

  @Test func `the runner is every part of the folder, in the order of their names`() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
      .filter { $0.hasSuffix(".sh") && $0 != "mount-entry.sh" }.sorted()
    #expect(!names.isEmpty)
    #expect(RunnerScript.parts.map(\.name) == names)
    for (part, name) in zip(RunnerScript.parts, names) { #expect(try part.text == Self.source(name), "\(name)") }
    #expect(try RunnerScript.mountEntry == Self.source("mount-entry.sh"))
  }

  @Test(.enabled(if: ValidatorTests.path("shellcheck") != nil, "shellcheck is not installed"))
  func `shellcheck has nothing to say about a part by itself`() throws {
    let names = RunnerScript.parts.map(\.name) + ["mount-entry.sh"]
    let process = try Spawn(
      #require(ValidatorTests.path("shellcheck")), ["--severity=style"] + names, workingDirectory: Self.folder.path
    ).run(timeout: 120)
    #expect(process.status == .exited(0), "\(process.text(1))")
  }

  @Test func `gcsfuse gets directories, buckets and paths whatever is in them, and the command comes last`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "dagrun-mount-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let tool = folder.appending(path: "gcsfuse")
    try Data("#!/bin/sh\nprintf '%s\\0' \"$@\" >>'\(folder.path)/seen'\n".utf8).write(to: tool)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tool.path)

    // An accent joins the quote before it to one character in Swift, and to none in a shell.
    let strange = "it's '\u{301} \"$HOME\" `x` \\ ünï"
    let mounts = [
      (directory: folder.path + "/\(strange)", path: try BucketPath("a-bucket/\(strange)/in")),
      (directory: folder.path + "/whole", path: try BucketPath("b-bucket")),
    ]
    let process = try Spawn(
      "/usr/bin/env",
      [
        "PATH=\(folder.path):/usr/bin:/bin", "/bin/sh", "-c", MountEntry.script(mounts), "entry", "printf", "%s",
        strange,
      ]
    ).run(timeout: 60)
    #expect(process.status == .exited(0), "\(process.text(2))")
    #expect(process.text(1) == strange)
    let seen = String(decoding: try Data(contentsOf: folder.appending(path: "seen")), as: UTF8.self)
    #expect(
      seen.split(separator: "\0").map(String.init) == [
        "--implicit-dirs", "--only-dir=\(strange)/in", "a-bucket", mounts[0].directory,
        "--implicit-dirs", "b-bucket", mounts[1].directory,
      ])
    var isFolder: ObjCBool = false
    for mount in mounts { #expect(FileManager.default.fileExists(atPath: mount.directory, isDirectory: &isFolder)) }
  }
}
