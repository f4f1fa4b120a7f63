import Foundation
import Testing

@testable import CLI

/// Commands that need a home and no scheduler.
@Suite struct HomeCommandsTests {
  @Test func `variables are set, read, listed and deleted`() async throws {
    let folder = try TestFolder()
    func run(_ arguments: String...) async -> (CLI.CommandExit, TestSession) {
      let test = TestSession()
      test.workingDirectory = folder.path
      return (await CommandRunner.run(["variables"] + arguments, in: test.session), test)
    }
    #expect(await run("list").0 == .success)
    #expect(await run("set", "region", "eu\nus", "--description", "where").0 == .success)
    #expect(await run("get", "region").1.output == "eu\nus\n")
    #expect(await run("get", "regoin").1.errors == "error: no variable 'regoin'; did you mean 'region'?\n")
    #expect(await run("get", "other").0 == .notFound)
    #expect(await run("get", "other", "-d", "fallback").1.output == "fallback\n")
    #expect(await run("list", "-o", "plain").1.output == "region\teu us\twhere\n")
    #expect(await run("delete", "region").0 == .success)
    #expect(await run("delete", "region").0 == .notFound)
  }

  @Test func `a list where nothing has run yet makes no home`() async throws {
    let folder = try TestFolder()
    let test = TestSession()
    test.workingDirectory = folder.path
    #expect(await test.run("pools", "list", "-o", "plain") == .success)
    #expect(test.output.hasPrefix("default_pool\t128\t128\t"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/.dagrun"))
  }

  @Test func `an option before the command is as good as one after it`() async throws {
    let folder = try TestFolder()
    let test = TestSession()
    #expect(await test.run("--home", folder.path + "/a home", "variables", "set", "x", "1") == .success)
    #expect(FileManager.default.fileExists(atPath: folder.path + "/a home/dagrun.db"))
    #expect(await test.run("variables", "get", "x", "--home=\(folder.path)/a home") == .success)
  }

  @Test func `a backup is made once`() async throws {
    let folder = try TestFolder()
    let test = TestSession()
    test.workingDirectory = folder.path
    #expect(await test.run("db", "backup", "copy.db") == .notFound)
    _ = await test.run("variables", "set", "x", "1")
    #expect(await test.run("db", "backup", "copy.db") == .success)
    #expect(await test.run("db", "backup", "copy.db") == .wrongUsage)
    #expect(await test.run("db", "check") == .success)
    #expect(await test.run("db", "info", "-o", "json") == .success)
  }

  @Test func `a home that cannot be made is explained`() async throws {
    let folder = try TestFolder()
    try Data().write(to: URL(filePath: folder.path + "/file"))
    let test = TestSession()
    // A component of the path is a file: this stops root, too.
    #expect(await test.run("variables", "set", "x", "1", "--home", folder.path + "/file/home") == .unavailable)
    #expect(test.errors.contains(folder.path + "/file"))
    #expect(test.errors.contains("--home"))
  }
}
