import Engine
import Foundation
import Model
import Testing

@testable import CLI

@Suite struct WorkspacePathsTests {
  @Test func `the nearest dags folder upward decides, with the home beside it`() throws {
    let folder = try TestFolder()
    let places = try WorkspacePaths.find(
      home: nil, dagsFolder: nil, environment: [:], workingDirectory: folder.path + "/dags")
    #expect(places.dagsFolder == folder.path + "/dags")
    #expect(places.home.path == folder.path + "/.dagrun")
  }

  @Test func `options count more than the environment`() throws {
    let places = try WorkspacePaths.find(
      home: "h", dagsFolder: nil, environment: ["DAGRUN_HOME": "/other", "DAGRUN_DAGS_FOLDER": "../d"],
      workingDirectory: "/a/b")
    #expect(places.home.path == "/a/b/h")
    #expect(places.dagsFolder == "/a/d")
  }

  @Test func `a home alone has its dags folder beside it where none is found`() throws {
    let places = try WorkspacePaths.find(
      home: "/nowhere/h", dagsFolder: nil, environment: [:], workingDirectory: "/nowhere")
    #expect(places.dagsFolder == "/nowhere/dags")
  }

  @Test func `a bundle brings its own dags folder, wherever its home is`() throws {
    for (home, folder) in [("/nowhere/h", "/b/dags"), (nil, "/b/dags")] {
      let places = try WorkspacePaths.find(
        home: home, dagsFolder: nil, environment: [:], workingDirectory: "/nowhere", bundledFolder: "/b/dags")
      #expect(places.dagsFolder == folder)
      #expect(places.home.path == home ?? "/nowhere/.dagrun")
    }
    let given = try WorkspacePaths.find(
      home: nil, dagsFolder: "/c/dags", environment: [:], workingDirectory: "/nowhere", bundledFolder: "/b/dags")
    #expect(given.dagsFolder == "/c/dags")
  }

  @Test func `without any folder the message says what to do`() {
    let error = #expect(throws: UserError.self) {
      try WorkspacePaths.find(home: nil, dagsFolder: nil, environment: [:], workingDirectory: "/nowhere/at all")
    }
    #expect(error?.status == .wrongUsage)
    #expect(error?.message == "there is no folder 'dags' in /nowhere/at all or above it")
    #expect(error?.hint?.contains("--dags-folder") == true)
  }

  @Test(arguments: [("~/x", "/u/x"), ("~", "/u"), ("a//b/../c/.", "/w/a/c"), ("/../a", "/a"), ("~x", "/w/~x")])
  func `paths are absolute`(path: String, expected: String) {
    #expect(WorkspacePaths.absolute(path, environment: ["HOME": "/u"], from: "/w") == expected)
  }

  // MARK: What is trusted

  private func find(_ folder: TestFolder, from directory: String = "", home: String? = nil) throws -> WorkspacePaths {
    try WorkspacePaths.find(home: home, dagsFolder: nil, environment: [:], workingDirectory: folder.path + directory)
  }

  /// A folder below that of the test, and a mode that lets others write it.
  @Test(arguments: ["", "/dags", "/between", "/between/here"], [0o777, 0o775, 0o757] as [mode_t])
  func `a folder that others may write is not used when it was only found`(place: String, mode: mode_t) throws {
    let folder = try TestFolder()
    let here = folder.path + "/between/here"
    try FileManager.default.createDirectory(atPath: here, withIntermediateDirectories: true)
    _ = try find(folder, from: "/between/here")
    // Of a group that this user is not alone in.
    if geteuid() == 0 { try #require(chown(folder.path + place, 0, 12_345) == 0) }
    try #require(chmod(folder.path + place, mode) == 0)
    guard geteuid() == 0 || mode & 0o002 != 0 else { return }
    let error = #expect(throws: UserError.self) { try find(folder, from: "/between/here") }
    #expect(error?.status == .wrongUsage)
    #expect(error?.message.contains("may be written by") == true)
    #expect(error?.hint?.contains("--dags-folder '\(folder.path)/dags'") == true)
    // Named, it is trusted.
    let named = try WorkspacePaths.find(
      home: nil, dagsFolder: folder.path + "/dags", environment: [:], workingDirectory: here)
    #expect(named.dagsFolder == folder.path + "/dags")
  }

  @Test func `a sticky folder is good to lie in, and not to be the folder`() throws {
    let folder = try TestFolder()
    try #require(chmod(folder.path, 0o1777) == 0)
    _ = try find(folder)
    try #require(chmod(folder.path + "/dags", 0o1777) == 0)
    #expect(throws: UserError.self) { try find(folder) }
  }

  @Test(arguments: ["", "/cache"]) func `a home that others may write is never used`(below: String) throws {
    let folder = try TestFolder()
    let home = folder.path + "/.dagrun"
    try FileManager.default.createDirectory(atPath: home + "/cache", withIntermediateDirectories: true)
    for given in [nil, home] {
      _ = try find(folder, home: given)
      try #require(chmod(home + below, 0o777) == 0)
      let error = #expect(throws: UserError.self) { try find(folder, home: given) }
      #expect(error?.status == .wrongUsage)
      #expect(error?.hint?.contains("chmod go-w") == true)
      try #require(chmod(home + below, 0o700) == 0)
    }
  }

  @Test(arguments: ["/dags", "/.dagrun", "/.dagrun/cache", "", "/link"])
  func `what belongs to another user is not used`(place: String) throws {
    guard geteuid() == 0 else { return }
    let folder = try TestFolder()
    try FileManager.default.createDirectory(atPath: folder.path + "/.dagrun/cache", withIntermediateDirectories: true)
    var directory = ""
    if place == "/link" {
      // A link of another user's that leads to this user's own folder.
      directory = "/inner"
      try FileManager.default.createDirectory(atPath: folder.path + "/inner", withIntermediateDirectories: true)
      try #require(symlink("../dags", folder.path + "/inner/dags") == 0)
      _ = try find(folder, from: directory)
      try #require(lchown(folder.path + "/inner/dags", 12_345, 12_345) == 0)
    } else {
      _ = try find(folder)
      try #require(chown(folder.path + place, 12_345, 12_345) == 0)
    }
    let error = #expect(throws: UserError.self) { try find(folder, from: directory) }
    #expect(error?.status == .wrongUsage)
    #expect(error?.message.contains("the user with the number 12345") == true)
  }
}
