import Engine
import Testing

@testable import CLI

@Suite struct PlacesTests {
  @Test func `the nearest dags folder upward decides, with the home beside it`() throws {
    let folder = try TestFolder()
    let places = try Places.find(home: nil, dagsFolder: nil, environment: [:], workingDirectory: folder.path + "/dags")
    #expect(places.dagsFolder == folder.path + "/dags")
    #expect(places.home.path == folder.path + "/.dagrun")
  }

  @Test func `options count more than the environment`() throws {
    let places = try Places.find(
      home: "h", dagsFolder: nil, environment: ["DAGRUN_HOME": "/other", "DAGRUN_DAGS_FOLDER": "../d"],
      workingDirectory: "/a/b")
    #expect(places.home.path == "/a/b/h")
    #expect(places.dagsFolder == "/a/d")
  }

  @Test func `a home alone has its dags folder beside it where none is found`() throws {
    let places = try Places.find(home: "/nowhere/h", dagsFolder: nil, environment: [:], workingDirectory: "/nowhere")
    #expect(places.dagsFolder == "/nowhere/dags")
  }

  @Test func `a bundle brings its own dags folder, wherever its home is`() throws {
    for (home, folder) in [("/nowhere/h", "/b/dags"), (nil, "/b/dags")] {
      let places = try Places.find(
        home: home, dagsFolder: nil, environment: [:], workingDirectory: "/nowhere", bundledFolder: "/b/dags")
      #expect(places.dagsFolder == folder)
      #expect(places.home.path == home ?? "/nowhere/.dagrun")
    }
    let given = try Places.find(
      home: nil, dagsFolder: "/c/dags", environment: [:], workingDirectory: "/nowhere", bundledFolder: "/b/dags")
    #expect(given.dagsFolder == "/c/dags")
  }

  @Test func `without any folder the message says what to do`() {
    let error = #expect(throws: Complaint.self) {
      try Places.find(home: nil, dagsFolder: nil, environment: [:], workingDirectory: "/nowhere/at all")
    }
    #expect(error?.status == .wrongUsage)
    #expect(error?.message == "there is no folder 'dags' in /nowhere/at all or above it")
    #expect(error?.hint?.contains("--dags-folder") == true)
  }

  @Test(arguments: [("~/x", "/u/x"), ("~", "/u"), ("a//b/../c/.", "/w/a/c"), ("/../a", "/a"), ("~x", "/w/~x")])
  func `paths are absolute`(path: String, expected: String) {
    #expect(Places.absolute(path, environment: ["HOME": "/u"], from: "/w") == expected)
  }
}
