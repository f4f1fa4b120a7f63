import Basics
import Foundation
import Processes

extension Compiler {
  /// Builds a folder with a `Package.swift` by SwiftPM, without linking: its one executable target and whatever that
  /// depends on become the shared object. The authoring library is not a dependency; it is found by `-I`.
  func compilePackage(_ source: DAGSource, entry: String, to path: String) throws(CompileFailure) {
    let scratch = cacheFolder + "/packages/" + SHA256.hex(of: Data(source.path.utf8)).prefix(16)
    let common = ["--package-path", source.path, "--scratch-path", scratch]
    let target = try executableTarget(source, common)
    _ = try swift(
      ["build"] + common + ["-c", "release", "--target", target, "-Xswiftc", "-I", "-Xswiftc", library.folder], source)
    let folder = scratch + "/release"
    var objects: [String] = []
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
    where name.hasSuffix(".build") && !name.contains("-tool.") {
      let inside = FileManager.default.enumerator(atPath: folder + "/" + name)
      objects += (inside?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".o") }.sorted()
        .map { "\(folder)/\(name)/\($0)" }
    }
    let temporary = AtomicFile.temporaryPath(for: path)
    defer { unlink(temporary) }
    try link(objects, to: temporary, source: source, entryAlias: (entry, target + "_main"))
    do {
      try AtomicFile.publish(temporary, as: path)
    } catch {
      throw .machine(error)
    }
  }

  private func executableTarget(_ source: DAGSource, _ common: [String]) throws(CompileFailure) -> String {
    struct Description: Decodable {
      struct Target: Decodable {
        var name: String
        var type: String
      }
      var targets: [Target]
    }
    let text = try swift(["package"] + common + ["describe", "--type", "json"], source)
    let targets = (try? JSONDecoder().decode(Description.self, from: Data(text.utf8)))?.targets ?? []
    let executables = targets.filter { $0.type == "executable" }
    guard executables.count == 1 else {
      throw .importError(
        ImportError(
          path: source.path + "/Package.swift", line: nil,
          message:
            "the package has \(executables.count) executable targets; it needs one, whose main.swift describes the DAGs",
          stage: .compile))
    }
    return executables[0].name
  }

  private func swift(_ arguments: [String], _ source: DAGSource) throws(CompileFailure) -> String {
    let result: CapturedProcess
    do {
      result = try Self.privately(toolchain.swift, arguments).run(timeout: Self.packageTimeoutSeconds)
    } catch {
      throw .machine(DagBagError("\(error)"))
    }
    guard !result.hasTimedOut, result.status.isSuccess else {
      throw .importError(Self.importError(source, result, tool: "swift \(arguments[0])"))
    }
    return result.text(1)
  }
}
