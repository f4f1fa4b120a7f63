import Dagrun
import Foundation
import Glibc
import Model
import Scheduling
import Testing

@testable import Storage

/// A file system that is full or cannot be written to. Permissions do not bind root, so these mount a real one.
@Suite(.enabled(if: SmallDisk.canMount, "only root can mount a file system to fill or to write-protect"))
struct FileSystemTests {
  @Test func `a full disk fails the commit, says so, and harms nothing`() throws {
    let disk = try SmallDisk(kilobytes: 1024, ballastKilobytes: 200)
    let store = try Store(path: disk.database)
    try store.add(tasks: ["a"])
    var committed: Int64 = 0
    let error = #expect(throws: StoreError.self) {
      while committed < 10_000 {
        try store.commit([
          .runCreated(RunSnapshot(run: run(committed + 1), tasks: (0..<50).map { task("task_\($0)") }))
        ])
        committed += 1
      }
    }
    #expect(error?.code == .diskFull)
    #expect(error?.hint.contains("space") == true)
    #expect(committed > 5)
    // What was committed is there; the rest is not.
    #expect(try store.listRuns().count == Int(committed))
    #expect(try store.check().isEmpty)
    #expect(try store.info().counts.taskInstances == Int(committed) * 50)
    // With space it continues.
    try FileManager.default.removeItem(atPath: disk.ballast)
    try store.commit([.runCreated(RunSnapshot(run: run(committed + 1), tasks: [task("a")]))])
  }

  @Test(arguments: [0, 4, 8, 16, 32, 40, 48, 64, 80, 96, 128])
  func `a disk that is nearly full from the start is said to be, and a database is made when there is space`(
    freeKilobytes: Int
  ) throws {
    // Room for the tables twice: in the write-ahead log, and in the file.
    let disk = try SmallDisk(kilobytes: 512, ballastKilobytes: 512 - freeKilobytes)
    let error = #expect(throws: StoreError.self) { try Store(path: disk.database) }
    #expect(error?.code == .diskFull, "\(String(describing: error))")
    let missing = #expect(throws: StoreError.self) { try StoreReader(path: disk.database) }
    #expect(missing?.code == .missing || missing?.code == .diskFull, "\(String(describing: missing))")
    try FileManager.default.removeItem(atPath: disk.ballast)
    try Store(path: disk.database).add()
  }

  @Test func `a read-only home cannot be written, and can be read`() throws {
    let disk = try SmallDisk(kilobytes: 4096)
    let store = try Store(path: disk.database)
    try store.add()
    try store.close()
    try disk.protect()
    let error = #expect(throws: StoreError.self) { try Store(path: disk.database) }
    #expect(error.map { [.readOnly, .cannotOpen].contains($0.code) } == true, "\(String(describing: error))")
    #expect(error?.hint.contains("--home") == true)
    let elsewhere = #expect(throws: StoreError.self) { try Store(path: disk.path + "/other.db") }
    #expect(elsewhere?.code == .readOnly)
    #expect(try StoreReader(path: disk.database).dags().count == 1)
  }
}

/// A file system in memory of its own, unmounted with the value.
private final class SmallDisk {
  let path: String

  var database: String { path + "/dagrun.db" }

  /// A file that can be removed to make space.
  var ballast: String { path + "/ballast" }

  init(kilobytes: Int, ballastKilobytes: Int = 0) throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("dagrun-disk-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard mount("tmpfs", path, "tmpfs", 0, "size=\(kilobytes)k") == 0 else {
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EPERM)
    }
    _ = FileManager.default.createFile(atPath: ballast, contents: Data(count: ballastKilobytes << 10))
  }

  /// Write-protects it.
  func protect() throws {
    guard mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) == 0 else {
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EPERM)
    }
  }

  deinit {
    // Detached, so that a connection that is still open does not keep it.
    umount2(path, Int32(MNT_DETACH))
    rmdir(path)
  }

  static let canMount = (try? SmallDisk(kilobytes: 64)) != nil
}
