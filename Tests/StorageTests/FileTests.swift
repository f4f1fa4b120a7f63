import Dagrun
import Foundation
import GRDB
import Model
import Scheduling
import Testing

@testable import Storage

/// What lies at the path: nothing, a database of another version, something else, or something broken.
struct FileTests {
  let folder = Folder()

  @Test func `a new database is readable by its owner only`() throws {
    let store = try Store(path: folder.database)
    try store.add()
    for file in ["", "-wal", "-shm"] {
      let attributes = try FileManager.default.attributesOfItem(atPath: folder.database + file)
      #expect((attributes[.posixPermissions] as? Int) == 0o600, "\(file)")
    }
  }

  @Test func `commits wait for the disk, and references are checked`() throws {
    let store = try Store(path: folder.database)
    #expect(try store.firstValue("PRAGMA synchronous") == "2")
    #expect(try store.firstValue("PRAGMA journal_mode") == "wal")
    #expect(try store.firstValue("PRAGMA foreign_keys") == "1")
  }

  @Test func `a path with spaces and other letters is a path`() throws {
    let home = folder.file("Bücher & Läufe 日本 'x'")
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    try Store(path: home + "/dagrun.db").add()
    #expect(try StoreReader(path: home + "/dagrun.db").dags().count == 1)
  }

  @Test func `a reader finds no database where there is none, and makes none`() throws {
    let error = #expect(throws: StoreError.self) { try StoreReader(path: folder.database) }
    #expect(error?.code == .missing)
    #expect(error?.hint.contains("dagrun trigger") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test func `a database that was left between two migrations is one of an older dagrun, and is migrated`() throws {
    for count in 1..<(try identifiers().count) {
      let path = folder.file("left after \(count).db")
      let connection = try DatabaseQueue(path: path)
      try connection.write { database in
        try database.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
        try Schema.migrations.first(count).apply(to: database)
      }
      try connection.close()
      let error = #expect(throws: StoreError.self) { try StoreReader(path: path) }
      #expect(error?.code == .olderDatabase)
      try Store(path: path).add()
      let reader = try StoreReader(path: path)
      #expect(try reader.dags().count == 1)
      #expect(try reader.check().isEmpty)
    }
  }

  private func identifiers() throws -> [String] {
    let path = folder.file("whole.db")
    try Store(path: path).close()
    let queue = try DatabaseQueue(path: path)
    return try queue.read { try Schema.migrations.applied(in: $0) }
  }

  @Test func `what a killed process had begun without a log is rolled back by the next, also by a reader`() throws {
    try Store(path: folder.database).close()
    // As it is left: a page of the file is written over, and the journal has what it held.
    let queue = try DatabaseQueue(path: folder.database)
    try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
    try queue.writeWithoutTransaction { database in
      try database.execute(sql: "PRAGMA cache_size = 1; BEGIN IMMEDIATE")
      for number in 0..<2000 {
        try database.execute(sql: "INSERT INTO variable VALUES (?, hex(randomblob(500)), '')", arguments: ["\(number)"])
      }
      for file in ["dagrun.db", "dagrun.db-journal"] {
        try FileManager.default.copyItem(atPath: folder.file(file), toPath: folder.file("killed-" + file))
      }
      try database.execute(sql: "ROLLBACK")
    }
    for open in [{ try StoreReader(path: $0) }, { try Store(path: $0) }] as [(String) throws -> StoreConnection] {
      let copy = Folder()
      for file in ["dagrun.db", "dagrun.db-journal"] {
        try FileManager.default.copyItem(atPath: folder.file("killed-" + file), toPath: copy.file(file))
      }
      let connection = try open(copy.database)
      #expect(try connection.variables().isEmpty)
      #expect(try connection.check().isEmpty)
    }
  }

  @Test func `the journals of a database that was removed are not taken for the new one's`() throws {
    let store = try Store(path: folder.database)
    try store.setVariable(Variable(key: "old", value: "1"))
    let log = try #require(FileManager.default.contents(atPath: folder.database + "-wal"))
    try store.close()
    try FileManager.default.removeItem(atPath: folder.database)
    for suffix in ["-wal", "-journal", ".new", ".new-wal", ".new-journal"] {
      try log.write(to: URL(filePath: folder.database + suffix))
    }
    let new = try Store(path: folder.database)
    #expect(try new.variables().isEmpty)
    #expect(try new.check().isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains(".new") })
  }

  @Test func `an empty file is not a database yet`() throws {
    _ = FileManager.default.createFile(atPath: folder.database, contents: nil)
    #expect(throws: StoreError.self) { try StoreReader(path: folder.database) }
    try Store(path: folder.database).add()
    #expect(try StoreReader(path: folder.database).dags().count == 1)
  }

  @Test func `what a killed scheduler left in the log is read where none runs`() throws {
    let store = try Store(path: folder.database)
    try store.add()
    try store.setVariable(Variable(key: "a", value: "1"))
    let copy = Folder()
    for file in ["dagrun.db", "dagrun.db-wal"] {
      try FileManager.default.copyItem(atPath: folder.file(file), toPath: copy.file(file))
    }
    let reader = try StoreReader(path: copy.database)
    #expect(try reader.dags().map(\.record.dagID) == ["etl"])
    #expect(try reader.variable("a")?.value == "1")
    #expect(try reader.check().isEmpty)
  }

  @Test func `the database of a newer dagrun is refused, and not one byte of it changes`() throws {
    let store = try Store(path: folder.database)
    try store.add()
    try store.run("INSERT INTO grdb_migrations VALUES ('9999 from the future')")
    // Its writer was killed: part of it is in the log still. Opening it for writing would move that.
    let files = ["dagrun.db", "dagrun.db-wal"]
    let copy = Folder()
    for file in files { try FileManager.default.copyItem(atPath: folder.file(file), toPath: copy.file(file)) }
    let before = files.map { FileManager.default.contents(atPath: copy.file($0)) }

    for open in [{ _ = try Store(path: $0) }, { _ = try StoreReader(path: $0) }] as [(String) throws -> Void] {
      let error = #expect(throws: StoreError.self) { try open(copy.database) }
      #expect(error?.code == .newerDatabase)
      #expect(error?.description.contains(copy.database) == true)
    }
    #expect(files.map { FileManager.default.contents(atPath: copy.file($0)) } == before)
  }

  @Test func `a database that lacks a migration is brought up to date by a scheduler, and refused by a reader`() throws
  {
    let old = try Store(path: folder.database)
    try old.run(
      """
      DROP VIEW jobs; DROP VIEW job_attempts; DROP TABLE job_attempt; DROP TABLE past_attempt;
      DROP TABLE job; DROP TABLE home;
      DELETE FROM grdb_migrations WHERE identifier > '0003'
      """)
    try old.close()
    let error = #expect(throws: StoreError.self) { try StoreReader(path: folder.database) }
    #expect(error?.code == .olderDatabase)
    try Store(path: folder.database).add()
    #expect(try StoreReader(path: folder.database).dags().count == 1)
  }

  @Test func `the database of another program is refused, and not touched`() throws {
    let other = try DatabaseQueue(path: folder.database)
    try other.write { try $0.execute(sql: "CREATE TABLE t (x)") }
    try other.close()
    let before = FileManager.default.contents(atPath: folder.database)
    let error = #expect(throws: StoreError.self) { try Store(path: folder.database) }
    #expect(error?.code == .notADatabase)
    #expect(FileManager.default.contents(atPath: folder.database) == before)
  }

  @Test func `a file that is not a database is refused, and not touched`() throws {
    let text = Data(repeating: UInt8(ascii: "x"), count: 10_000)
    _ = FileManager.default.createFile(atPath: folder.database, contents: text)
    for open in [{ _ = try Store(path: $0) }, { _ = try StoreReader(path: $0) }] as [(String) throws -> Void] {
      let error = #expect(throws: StoreError.self) { try open(folder.database) }
      #expect(error?.code == .notADatabase)
      #expect(error?.hint.isEmpty == false)
    }
    #expect(FileManager.default.contents(atPath: folder.database) == text)
  }

  @Test(arguments: [100, 5000, 20_000])
  func `a database that was cut short is said to be damaged`(length: Int) throws {
    let store = try Store(path: folder.database)
    try store.add(tasks: ["a"])
    try store.commit([.runCreated(RunSnapshot(run: run(1), tasks: (0..<2000).map { task("task_\($0)") }))])
    try store.close()
    let whole = try #require(FileManager.default.contents(atPath: folder.database))
    try whole.prefix(length).write(to: URL(fileURLWithPath: folder.database))
    let error = #expect(throws: StoreError.self) {
      let store = try Store(path: folder.database)
      _ = try store.snapshot()
    }
    #expect([.notADatabase, .corrupt].contains(error?.code))
    #expect(error?.description.contains(folder.database) == true)
  }

  @Test func `damage inside the file is found by the check`() throws {
    let store = try Store(path: folder.database)
    try store.add(tasks: ["a"])
    try store.commit([.runCreated(RunSnapshot(run: run(1), tasks: (0..<5000).map { task("task_\($0)") }))])
    #expect(try store.check().isEmpty)
    try store.close()
    let file = try #require(FileHandle(forUpdatingAtPath: folder.database))
    try file.seek(toOffset: 200_000)
    try file.write(contentsOf: Data(repeating: 0xff, count: 20_000))
    try file.close()
    do {
      #expect(try StoreReader(path: folder.database).check().isEmpty == false)
    } catch {
      #expect(error.code == .corrupt)
    }
  }

  @Test func `a database that cannot grow fails the commit, keeps what it had, and continues when it can`() throws {
    let store = try Store(path: folder.database)
    try store.add()
    try store.run("PRAGMA max_page_count = 60")
    let large = RunSnapshot(run: run(1), tasks: (0..<5000).map { task("task_\($0)") })
    let error = #expect(throws: StoreError.self) { try store.commit([.runCreated(large)]) }
    #expect(error?.code == .diskFull)
    #expect(try store.listRuns().isEmpty)
    try store.run("PRAGMA max_page_count = 100000")
    try store.commit([.runCreated(large)])
    #expect(try store.runSnapshots(numbers: [1]) == [large])
  }

  @Test func `a broken reference is found by the check`() throws {
    let store = try Store(path: folder.database)
    try store.add()
    try store.run("PRAGMA foreign_keys = OFF; DELETE FROM dag_version; PRAGMA foreign_keys = ON")
    #expect(try store.check() == ["a row of dag refers to a row of dag_version that is not there"])
  }

  @Test func `a folder that is not there, or is a file, is named`() throws {
    for path in [folder.file("none/dagrun.db"), folder.path] {
      let error = #expect(throws: StoreError.self) { try Store(path: path) }
      #expect(error?.path == path)
      #expect(error?.hint.isEmpty == false)
    }
    _ = FileManager.default.createFile(atPath: folder.file("file"), contents: nil)
    let error = #expect(throws: StoreError.self) { try Store(path: folder.file("file/dagrun.db")) }
    #expect(error?.code == .cannotOpen)
    #expect(error?.problem == "Not a directory")
  }
}
