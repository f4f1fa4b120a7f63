import DagBag
import Dagrun
import Foundation
import Testing

@Suite struct CacheTests {
  private func file(_ id: String, command: String = "true", extra: String = "") -> String {
    """
    import Dagrun
    \(extra)
    DAG("\(id)") {
      BashOperator("task", "\(command)")
    }

    """
  }

  @Test func `a new file is compiled and described, an unchanged one is neither`() throws {
    let folder = try TestFolder()
    try folder.write(file("one"), to: "one.swift")
    let first = folder.bag()
    let contents = try first.load()
    #expect(contents.importErrors.isEmpty && contents.warnings.isEmpty, "\(contents)")
    #expect(contents.files.map(\.path) == [folder.dags + "/one.swift"])
    #expect(contents.files[0].dags.map(\.id) == ["one"])
    #expect(contents.files[0].dags[0].tasks[0].location == .init(file: folder.dags + "/one.swift", line: 4))
    #expect(first.workDone == .init(compiled: 1, described: 1))

    #expect(try first.load().files == contents.files)
    #expect(first.workDone == .init(compiled: 1, described: 1))

    let second = folder.bag()
    #expect(try second.load().files == contents.files)
    #expect(second.workDone == .init())
    #expect(try second.file(version: contents.files[0].version) == contents.files[0])
    #expect(try second.file(version: "none") == nil)
  }

  @Test func `a compiled file that was cut off is compiled again`() throws {
    let folder = try TestFolder()
    try folder.write(file("one"), to: "one.swift")
    let library = try folder.bag().load().files[0].libraryPath
    let cache = URL(filePath: library).deletingLastPathComponent()
    for name in try FileManager.default.contentsOfDirectory(atPath: cache.path) where name.contains(".described-") {
      try FileManager.default.removeItem(atPath: cache.path + "/" + name)
    }
    try #require(truncate(library, 100) == 0)
    let bag = folder.bag()
    let contents = try bag.load()
    #expect(contents.importErrors.isEmpty, "\(contents.importErrors)")
    #expect(bag.workDone.compiled == 1)
  }

  @Test func `an edit compiles that file again, and the old version stays for runs that are on it`() throws {
    let folder = try TestFolder()
    try folder.write(file("one"), to: "one.swift")
    try folder.write(file("two"), to: "two.swift")
    let before = try folder.bag().load().files
    try folder.write(file("one", command: "false"), to: "one.swift")
    let bag = folder.bag()
    let after = try bag.load().files
    #expect(bag.workDone == .init(compiled: 1, described: 1))
    #expect(after[1] == before[1] && after[0].version != before[0].version)
    #expect(try bag.file(version: before[0].version) == before[0])
    #expect(FileManager.default.fileExists(atPath: before[0].libraryPath))

    // After an upgrade of dagrun that left the library as it was: the file's source is gone, the version is not.
    let upgraded = folder.path + "/bin"
    try FileManager.default.createDirectory(atPath: upgraded, withIntermediateDirectories: true)
    for name in ["dagrun", "Modules/Dagrun.swiftmodule"] {
      let source = URL(filePath: dagrun).deletingLastPathComponent().appending(path: name)
      try FileManager.default.copyItem(
        atPath: source.path(percentEncoded: false), toPath: upgraded + "/" + source.lastPathComponent)
    }
    try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: upgraded + "/dagrun")
    var options = bag.options
    options.executable = upgraded + "/dagrun"
    #expect(try DagBag(options).file(version: before[0].version) == before[0])

    // Undoing the edit costs nothing.
    try folder.write(file("one"), to: "one.swift")
    let undone = folder.bag()
    #expect(try undone.load().files == before)
    #expect(undone.workDone == .init())
  }

  @Test func `a failure is remembered, and leaves the other files alone`() throws {
    let folder = try TestFolder()
    try folder.write(file("good"), to: "good.swift")
    try folder.write(file("bad", extra: "let number: Int = \"text\""), to: "a bad ü.swift")
    try folder.write(file("crash", extra: "fatalError(\"no\")"), to: "crash.swift")
    let first = folder.bag()
    let contents = try first.load()
    #expect(contents.files.map(\.dags[0].id) == ["good"])
    #expect(contents.importErrors.map(\.stage) == [.compile, .describe])
    #expect(contents.importErrors.map(\.line) == [2, 2])
    #expect(contents.importErrors[0].path == folder.dags + "/a bad ü.swift")
    #expect(contents.importErrors[0].message == "cannot convert value of type 'String' to specified type 'Int'")
    #expect(contents.importErrors[1].message.contains("Fatal error: no"), "\(contents.importErrors[1])")
    #expect(first.workDone == .init(compiled: 3, described: 2))

    let second = folder.bag()
    let again = try second.load()
    #expect(again.importErrors == contents.importErrors && again.files == contents.files)
    #expect(second.workDone == .init())
  }

  @Test func `a folder with main.swift is one module, other folders only group files`() throws {
    let folder = try TestFolder()
    try folder.write(file("module", command: "\\(command)"), to: "group/module/main.swift")
    try folder.write("let command = \"true\"\n", to: "group/module/commands.swift")
    try folder.write(file("single"), to: "group/single.swift")
    try folder.write(file("hidden"), to: ".hidden/hidden.swift")
    try folder.write("no DAG file", to: "group/README.md")
    let contents = try folder.bag().load()
    #expect(contents.importErrors.isEmpty, "\(contents.importErrors)")
    #expect(contents.files.map(\.path) == ["group/module", "group/single.swift"].map { folder.dags + "/" + $0 })
    #expect(contents.files[0].dags[0].location.file == folder.dags + "/group/module/main.swift")

    try folder.write("let command = \"false\"\n", to: "group/module/commands.swift")
    let bag = folder.bag()
    #expect(try bag.load().files[0].version != contents.files[0].version)
    #expect(bag.workDone.compiled == 1)
  }

  @Test func `a DAG id belongs to the first file that has it`() throws {
    let folder = try TestFolder()
    try folder.write(file("same"), to: "a.swift")
    try folder.write(file("same"), to: "b.swift")
    let contents = try folder.bag().load()
    #expect(contents.files.map(\.path) == [folder.dags + "/a.swift"])
    #expect(contents.importErrors.map(\.message) == ["there is a DAG \"same\" in \(folder.dags)/a.swift already"])
    #expect(contents.importErrors[0].line == 3)
  }

  @Test func `files with the same types in them do not disturb each other`() throws {
    let folder = try TestFolder()
    for id in ["one", "two"] {
      try folder.write(
        """
        import Dagrun
        struct Row: Codable, Sendable { var \(id): Int }
        let name = "\(id)"
        DAG("\\(name)") {
          let rows = SwiftOperator("rows") { _ in Row(\(id): 1) }
          SwiftOperator("sum", rows.output) { _, row in row.\(id) }
        }
        """, to: "\(id).swift")
    }
    let contents = try folder.bag().load()
    #expect(contents.files.map { $0.dags.map(\.id) } == [["one"], ["two"]], "\(contents.importErrors)")
    #expect(contents.files[0].entry != contents.files[1].entry)
  }

  @Test func `pools are looked at on each load, so that making one mends the file`() throws {
    let folder = try TestFolder()
    try folder.write(file("one").replacing("\"true\"", with: "\"true\", pool: \"gpu\""), to: "one.swift")
    let bag = folder.bag()
    #expect(try bag.load(pools: ["default_pool"]).importErrors.map(\.line) == [4])
    #expect(try bag.load(pools: ["default_pool", "gpu"]).files.count == 1)
    #expect(bag.workDone == .init(compiled: 1, described: 1))
  }

  @Test func `a file that cannot be read is an import error of its own`() throws {
    let folder = try TestFolder()
    try folder.write(file("good"), to: "good.swift")
    try FileManager.default.createSymbolicLink(
      atPath: folder.dags + "/gone.swift", withDestinationPath: folder.path + "/nowhere.swift")
    let contents = try folder.bag().load()
    #expect(contents.files.map(\.dags[0].id) == ["good"])
    #expect(
      contents.importErrors.map(\.description)
        == ["\(folder.dags)/gone.swift: cannot read the file: it is a link to something that is not there"])
  }

  @Test func `a library that somebody removed from the cache is made again`() throws {
    let folder = try TestFolder()
    try folder.write(file("one"), to: "one.swift")
    let before = try folder.bag().load().files
    try FileManager.default.removeItem(atPath: before[0].libraryPath)
    let bag = folder.bag()
    #expect(try bag.load().files == before)
    #expect(bag.workDone.compiled == 1)
  }

  @Test func `a file may print a lot, which is a warning, and describe a lot`() throws {
    let folder = try TestFolder()
    try folder.write(
      """
      import Dagrun
      for number in 0..<20_000 { print("line", number, String(repeating: "x", count: 100)) }
      DAG("large") {
        for number in 0..<20_000 { BashOperator("task_\\(number)", "echo \\(number) \\(.ds) and so on and so forth") }
      }
      """, to: "large.swift")
    let contents = try folder.bag().load()
    #expect(contents.files.first?.dags[0].tasks.count == 20_000, "\(contents.importErrors)")
    #expect(
      contents.warnings.map(\.message) == [
        "the file's top-level code printed while it was described: line 0 " + String(repeating: "x", count: 100)
      ])
    #expect(contents.warnings[0].details?.utf8.count ?? 0 <= 65_536)
  }

  @Test func `a folder reached by a link keeps the path that the user knows`() throws {
    let folder = try TestFolder()
    try folder.write(file("one"), to: "one.swift")
    let link = folder.path + "/link ü"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.dags)
    var options = folder.bag().options
    options.dagsFolder = link + "/../link ü/"
    let contents = try DagBag(options).load()
    #expect(contents.files.map(\.path) == [link + "/one.swift"], "\(contents.importErrors)")
    #expect(contents.files.first?.dags[0].location.file == link + "/one.swift")
  }

  @Test func `an empty folder has no files, and a missing one says so`() throws {
    let folder = try TestFolder()
    #expect(try folder.bag().load().files.isEmpty)
    try FileManager.default.removeItem(atPath: folder.dags)
    let error = #expect(throws: DagBagError.self) { try folder.bag().load() }
    #expect(error?.description.contains("cannot read the folder \(folder.dags): No such file") == true)
  }

  @Test func `the example of the design compiles as written and is described`() throws {
    let folder = try TestFolder()
    let text = try String(contentsOfFile: repository + "Tests/Fixtures/nightly.swift", encoding: .utf8)
    try folder.write(text, to: "nightly.swift")
    let contents = try folder.bag().load()
    #expect(contents.importErrors.isEmpty, "\(contents.importErrors)")
    let dag = try #require(contents.files.first?.dags.first)
    #expect(dag.id == "nightly" && dag.schedule == .cron("0 3 * * *", timeZone: "Europe/Berlin"))
    #expect(dag.tasks.map(\.id) == ["extract_eu", "extract_us", "count_rows", "train", "report"])
    #expect(
      dag.tasks.map(\.upstream) == [[], [], ["extract_eu", "extract_us"], ["count_rows"], ["count_rows", "train"]])
    #expect(dag.tasks[4].inputs == ["count_rows", "train"] && dag.tasks.allSatisfy { $0.retries == 2 })
    #expect(dag.tasks[0].work == .bash(script: "extract.sh --region \("eu") --day \(.ds)"))
  }
}
