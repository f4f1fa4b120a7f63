import DagBag
import Dagrun
import Foundation
import Processes
import Testing

/// What is compiled and loaded is this user's own, whatever the umask is and whoever else may come to the folder.
@Suite struct TrustTests {
  private static let dag = "import Dagrun\nDAG(\"ok\") { BashOperator(\"x\", \"echo\") }\n"

  private func modes(below folder: String) -> [String: Int] {
    var modes: [String: Int] = [:]
    for name in FileManager.default.enumerator(atPath: folder)?.compactMap({ $0 as? String }) ?? [] {
      let attributes = try? FileManager.default.attributesOfItem(atPath: folder + "/" + name)
      modes[name] = attributes?[.posixPermissions] as? Int
    }
    return modes
  }

  @Test func `the cache is its owner's only, also where it was open`() throws {
    let folder = try TestFolder()
    try folder.write(Self.dag, to: "ok.swift")
    let cache = folder.path + "/cache"
    try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
    chmod(cache, 0o777)
    try Data("#".utf8).write(to: URL(filePath: cache + "/planted.so"))
    chmod(cache + "/planted.so", 0o666)
    let file = try #require(try folder.bag().load().files.first)
    #expect(try FileManager.default.attributesOfItem(atPath: cache)[.posixPermissions] as? Int == 0o700)
    let open = modes(below: cache).filter { $0.value & 0o077 != 0 }
    #expect(open.isEmpty, "\(open)")
    #expect(!FileManager.default.fileExists(atPath: cache + "/planted.so"))
    #expect(FileManager.default.fileExists(atPath: file.libraryPath))
  }

  @Test(arguments: [0o602, 0o620, 0o666, 0o777] as [mode_t])
  func `a compiled file that others may write is not loaded`(mode: mode_t) throws {
    let folder = try TestFolder()
    try folder.write(Self.dag, to: "ok.swift")
    let file = try #require(try folder.bag().load().files.first)
    #expect(try describe(file).status == .exited(0))
    chmod(file.libraryPath, mode)
    let refused = try describe(file)
    #expect(refused.status == .exited(78))
    #expect(refused.text(2).contains("will not load \(file.libraryPath)"))
  }

  @Test func `a compiled file of another user is not loaded`() throws {
    try #require(geteuid() == 0, "only root can give a file away")
    let folder = try TestFolder()
    try folder.write(Self.dag, to: "ok.swift")
    let file = try #require(try folder.bag().load().files.first)
    try #require(chown(file.libraryPath, 12_345, 12_345) == 0)
    #expect(try describe(file).status == .exited(78))
    // Nor is a cache of another user used.
    try #require(chown(folder.path + "/cache", 12_345, 12_345) == 0)
    let error = #expect(throws: DagBagError.self) { try folder.bag().load() }
    #expect(error?.description.contains("belongs to another user") == true)
  }

  private func describe(_ file: DAGFile) throws -> CapturedProcess {
    var spawn = Spawn(dagrun, ["describe-library", file.libraryPath, file.entry])
    let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
    defer { close(null) }
    spawn.descriptors[3] = null
    return try spawn.run(timeout: 60)
  }
}

/// What the code of a file does while it is described ends with the describing.
@Suite struct DescribingLimitTests {
  private func load(_ code: String, seconds: Double = 30) throws -> LoadedDAGs {
    let folder = try TestFolder()
    try folder.write(
      "import Dagrun\nimport Foundation\n\(code)\nDAG(\"ok\") { BashOperator(\"x\", \"echo\") }\n", to: "ok.swift")
    return try folder.bag(describeTimeoutSeconds: seconds).load()
  }

  @Test(arguments: [false, true]) func `a process that it has left in a session of its own`(hangs: Bool) throws {
    // Fits no other process of this machine.
    let seconds = "\(Int.random(in: 1_000_000..<2_000_000)).5"
    let contents = try load(
      """
      _ = system("setsid sleep \(seconds) > /dev/null 2>&1 &")
      \(hangs ? "while true { sleep(1) }" : "")
      """, seconds: hangs ? 3 : 30)
    #expect(contents.importErrors.isEmpty == !hangs, "\(contents)")
    if hangs { #expect(contents.importErrors.first?.message.contains("did not end within 3 s") == true) }
    let left = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter { pid in
      (readWholeFile("/proc/\(pid)/cmdline") ?? []).split(separator: 0).contains { $0.elementsEqual(seconds.utf8) }
    }
    #expect(left.isEmpty)
  }

  @Test func `memory without end`() throws {
    let contents = try load(
      """
      var all: [UnsafeMutableRawPointer] = []
      while true {
        let block = UnsafeMutableRawPointer.allocate(byteCount: 256 << 20, alignment: 16)
        all.append(block)
      }
      """)
    #expect(contents.files.isEmpty)
    #expect(contents.importErrors.count == 1, "\(contents.importErrors)")
  }
}
