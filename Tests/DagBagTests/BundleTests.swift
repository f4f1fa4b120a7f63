import DagBag
import Dagrun
import Foundation
import Processes
import Testing

@Suite struct BundleTests {
  @Test func `a bundle has all that a machine without a compiler needs`() throws {
    let folder = try TestFolder()
    try folder.write(
      """
      import Dagrun
      import Foundation
      DAG("bundled") { SwiftOperator("now") { _ in Date() } }
      """, to: "bundled.swift")
    try folder.write("echo hello\n", to: "scripts/hello.sh")
    let built = folder.path + "/built"
    let contents = try folder.bag().build(into: built)
    #expect(contents.files.count == 1, "\(contents.importErrors)")
    for name in [
      "dagrun", "libswiftCore.so", "libFoundation.so", "swift-backtrace", "bundle/manifest.json",
      "dags/scripts/hello.sh",
    ] {
      #expect(FileManager.default.isReadableFile(atPath: built + "/" + name), "\(name)")
    }

    // Elsewhere, without the sources and the cache.
    let moved = folder.path + "/moved"
    try FileManager.default.moveItem(atPath: built, toPath: moved)
    try FileManager.default.removeItem(atPath: folder.dags)
    try FileManager.default.removeItem(atPath: folder.path + "/cache")
    let bag = DagBag(
      .init(dagsFolder: folder.dags, cacheFolder: folder.path + "/none", executable: moved + "/dagrun"))
    #expect(try bag.isBundled && !folder.bag().isBundled)
    let loaded = try bag.load(pools: ["default_pool"])
    #expect(loaded.files.map(\.dags) == contents.files.map(\.dags))
    let file = try #require(loaded.files.first)
    #expect(file.libraryPath == "\(moved)/bundle/\(file.version).so")
    #expect(try bag.file(version: file.version) == file)
    #expect(try bag.load(pools: []).importErrors.count == 1)

    // The bundle's own executable loads the bundle's own library.
    let result = try Spawn(moved + "/dagrun", ["describe-library", file.libraryPath, file.entry], environment: [:])
      .run(capturing: [1, 2, 3], timeout: 30)
    #expect(result.status.isSuccess && result.text(3).contains("bundled"), "\(result.text(2))")
  }

  @Test func `nothing is built while a file is wrong`() throws {
    let folder = try TestFolder()
    try folder.write("import Dagrun\nDAG(\"x\") { }\n", to: "x.swift")
    let contents = try folder.bag().build(into: folder.path + "/built")
    #expect(contents.importErrors.count == 1)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/built"))
  }
}
