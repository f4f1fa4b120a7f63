import Testing

@testable import CloudEmulator

struct CloudConfigTests {
  private func config(_ yaml: String) throws -> CloudConfig { try CloudConfig(yaml: yaml) }

  @Test(arguments: [
    ("\"0644\"", 0o644), ("'0700'", 0o700), ("0600", 0o600), ("0o640", 0o640), ("\"644\"", 0o644), ("420", 420),
  ])
  func `permissions are octal where they are text or begin with 0`(written: String, mode: Int) throws {
    #expect(try config("write_files: [{path: /x, permissions: \(written)}]").files[0].permissions == UInt32(mode))
  }

  @Test func `permissions that are a number are said to be one`() throws {
    #expect(
      try config("write_files: [{path: /x, permissions: 644}]").notes == [
        "/x: the permissions 644 are not quoted: a decimal number"
      ])
  }

  @Test func `commands are shell, or words`() throws {
    let config = try config("runcmd:\n- echo $HOME; ls\n- [echo, \"it's\", $HOME, 7]\n- {a: b}\nbootcmd: [x]")
    #expect(config.runCommands == ["echo $HOME; ls", "'echo' 'it'\\''s' '$HOME' '7'"])
    #expect(config.bootCommands == ["x"])
    #expect(config.notes == ["runcmd[2] is neither a string nor a list of strings, and was ignored"])
  }

  @Test(arguments: [
    ("b64", CloudConfig.File.Encoding.base64), ("base64", .base64), ("gz+b64", .gzipBase64), ("gzip", .gzip),
    ("text/plain", .text),
  ])
  func `encodings have cloud-init's names`(name: String, encoding: CloudConfig.File.Encoding) throws {
    #expect(try config("write_files: [{path: /x, encoding: \(name), content: a}]").files[0].encoding == encoding)
  }

  @Test func `a file without an absolute path is left out, with a note`() throws {
    let config = try config("write_files: [{path: relative}, {content: x}, {path: /ok, append: true, defer: true}]")
    #expect(config.files.map(\.path) == ["/ok"])
    #expect(config.files[0].appends && config.files[0].isDeferred)
    #expect(config.notes.count == 2)
  }

  @Test func `user-data is told by its first line`() throws {
    #expect(UserData("#!/bin/sh\necho") == .script("#!/bin/sh\necho"))
    let empty = try CloudConfig(yaml: "")
    #expect(UserData("#cloud-config\n") == .cloudConfig(empty))
    guard case .invalid = UserData("#cloud-config\nx: [") else {
      Issue.record("broken YAML was taken")
      return
    }
  }
}
