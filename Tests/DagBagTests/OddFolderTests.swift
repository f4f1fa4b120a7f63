import Foundation
import Processes
import Testing

@testable import DagBag

/// All that can lie in a folder of DAG files besides DAG files. None of it may stop or slow the others down.
@Suite struct OddFolderTests {
  private static let dag = "import Dagrun\nDAG(\"ok\") { BashOperator(\"x\", \"echo\") }\n"

  /// A name, how to make it (`$0` is the path), and what is said of it.
  private static let odd: [(name: String, script: String, words: String)] = [
    ("fifo.swift", "mkfifo \"$0\"", "it is a FIFO, and only regular files are read"),
    ("link to fifo.swift", "mkfifo \"$0.pipe\"; ln -s \"$0.pipe\" \"$0\"", "it is a FIFO, and only regular files"),
    ("device.swift", "ln -s /dev/zero \"$0\"", "it is a device, and only regular files are read"),
    ("terminal.swift", "ln -s /dev/tty \"$0\"", "it is a device, and only regular files are read"),
    ("dangling.swift", "ln -s nowhere \"$0\"", "it is a link to something that is not there"),
    ("circle.swift", "ln -s circle.swift \"$0\"", "it is a link that leads in a circle"),
    ("empty folder.swift", "mkdir \"$0\"", "it is a folder without DAG files, and its name is that of a file"),
    ("huge.swift", "truncate -s 1T \"$0\"", "it is larger than 16 MiB"),
    ("module/main.swift", "mkdir \"${0%/*}\"; mkfifo \"$0\"", "it is a FIFO, and only regular files are read"),
    ("package/Package.swift", "mkdir \"${0%/*}\"; mkfifo \"$0\"", "it is a FIFO, and only regular files are read"),
    ("$(printf 'caf\\351').swift", "eval \"touch \\\"$0\\\"\"", "its name is not UTF-8; rename it"),
  ]

  @Test(.timeLimit(.minutes(2)), arguments: odd.indices)
  func `what is not a DAG file is an import error, and the others are read`(index: Int) throws {
    let (name, script, words) = Self.odd[index]
    let folder = try TestFolder()
    try folder.write(Self.dag, to: "ok.swift")
    let ended = try Spawn("sh", ["-c", script, folder.dags + "/" + name]).run(timeout: 20)
    try #require(ended.status.isSuccess, "\(ended.text(2))")
    let found = try DAGSource.find(in: folder.dags)
    let contents = try folder.bag().load()
    #expect(contents.files.map(\.path) == [folder.dags + "/ok.swift"])
    let error = try #require(contents.importErrors.first, "\(contents)")
    #expect(contents.importErrors.count == 1)
    #expect(error.message.contains(words), "\(error)")
    #expect(error.path.hasPrefix(folder.dags + "/"))
    #expect(!error.mentions("unknown"))
    #expect(found.sources.count <= 2)
  }

  @Test func `a socket is not read`() throws {
    let folder = try TestFolder()
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // The name of a socket is short: bound in the folder itself.
    let before = FileManager.default.currentDirectoryPath
    withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      bytes.copyBytes(from: "/tmp/s-\(getpid())".utf8)
    }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
    try #require(rename("/tmp/s-\(getpid())", folder.dags + "/socket.swift") == 0)
    #expect(FileManager.default.currentDirectoryPath == before)
    let contents = try folder.bag().load()
    #expect(
      contents.importErrors.map(\.message) == ["cannot read the file: it is a socket, and only regular files are read"])
  }

  @Test func `links to folders are followed once, whatever they lead to`() throws {
    let folder = try TestFolder()
    try folder.write(Self.dag, to: "ok.swift")
    try folder.write(Self.dag.replacingOccurrences(of: "ok", with: "deep"), to: "a/deep.swift")
    let links = [
      "self": ".", "other self": ".", "up": "..", "root": "/", "a/back": "..", "b": "a", "ok link.swift": "ok.swift",
    ]
    for (name, target) in links { try #require(symlink(target, folder.dags + "/" + name) == 0) }
    try #require(link(folder.dags + "/ok.swift", folder.dags + "/twin.swift") == 0)

    let bag = folder.bag()
    let contents = try bag.load()
    #expect(contents.importErrors.isEmpty, "\(contents.importErrors)")
    #expect(contents.files.map(\.path) == ["/a/deep.swift", "/ok.swift"].map { folder.dags + $0 })
    #expect(bag.workDone == .init(compiled: 2, described: 2))
    // One warning for each, and the file keeps the path that it has without links.
    let left = (Array(links.keys) + ["twin.swift"]).map { folder.dags + "/" + $0 }.sorted()
    #expect(contents.warnings.map(\.path).sorted() == left)
    #expect(contents.warnings.allSatisfy { $0.message.hasPrefix("left out: the f") })
  }

  @Test func `a link out of the folder is followed, and a circle out there ends`() throws {
    let folder = try TestFolder()
    let outside = folder.path + "/outside"
    try FileManager.default.createDirectory(atPath: outside + "/inner", withIntermediateDirectories: true)
    try Self.dag.write(toFile: outside + "/ok.swift", atomically: true, encoding: .utf8)
    try #require(symlink(outside, folder.dags + "/shared") == 0)
    try #require(symlink(outside, outside + "/inner/circle") == 0)
    let found = try DAGSource.find(in: folder.dags)
    #expect(found.sources.map(\.path) == [folder.dags + "/shared/ok.swift"])
    #expect(found.errors.isEmpty)
    #expect(found.warnings.count == 1)
  }

  @Test func `a tree deeper than any path can say is read as far as that goes`() throws {
    let folder = try TestFolder()
    try folder.write(Self.dag, to: "ok.swift")
    var deepest = open(folder.dags, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    for _ in 0..<3_000 {
      try #require(mkdirat(deepest, "d", 0o755) == 0)
      let next = openat(deepest, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      close(deepest)
      deepest = next
    }
    close(deepest)
    let found = try DAGSource.find(in: folder.dags)
    #expect(found.sources.map(\.path) == [folder.dags + "/ok.swift"])
    #expect(found.errors.count <= 1)
    // Too deep for a removal by paths.
    _ = try Spawn("rm", ["-rf", folder.dags]).run(timeout: 60)
  }

  @Test func `a helper that two modules share belongs to both`() throws {
    let folder = try TestFolder()
    try folder.write("let shared = 1\n", to: "common/helper.txt")
    for module in ["one", "two"] {
      try folder.write(Self.dag, to: "\(module)/main.swift")
      try #require(symlink("../common/helper.txt", folder.dags + "/\(module)/helper.swift") == 0)
    }
    let found = try DAGSource.find(in: folder.dags)
    #expect(found.sources.map(\.files.count) == [2, 2])
    #expect(found.warnings.isEmpty)
  }

  @Test func `names that differ only in how a letter is composed are two files`() throws {
    let folder = try TestFolder()
    try folder.write(Self.dag, to: "caf\u{E9}.swift")
    try folder.write(Self.dag, to: "cafe\u{301}.swift")
    #expect(try DAGSource.find(in: folder.dags).sources.count == 2)
  }

  @Test func `a broken module mentions the ids of all its files`() throws {
    let folder = try TestFolder()
    try folder.write("let nothing = \n", to: "broken/main.swift")
    try folder.write("let id = \"inner\"\n", to: "broken/names.swift")
    let error = try #require(try folder.bag().load().importErrors.first)
    #expect(error.mentions("inner"))
    #expect(!error.mentions("outer"))
  }
}
