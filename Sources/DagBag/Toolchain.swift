import Foundation
import Processes

/// The Swift compiler: where its parts are, and which version they are.
struct Toolchain: Codable, Hashable, Sendable {
  /// What was asked for its version, with size and modification time: it is not asked again until that changes.
  var fingerprint: String
  var version: String
  var triple: String
  /// `usr/bin`
  var binFolder: String
  /// `usr/lib/swift`
  var resourceFolder: String

  var frontend: String { binFolder + "/swift-frontend" }
  var swift: String { binFolder + "/swift" }

  var runtimeFolder: String { resourceFolder + "/linux" }
  /// Registers a library's types with the Swift runtime when it is loaded.
  var registration: String {
    runtimeFolder + "/" + (triple.split(separator: "-").first.map(String.init) ?? "x86_64") + "/swiftrt.o"
  }

  /// The toolchain's own linker, which is the fastest; nil where it has none.
  var linker: String? {
    let path = binFolder + "/ld.lld"
    return access(path, X_OK) == 0 ? path : nil
  }

  /// Writes the report of a crash; the static one needs no library of its own.
  var backtracer: String? {
    let folder = URL(filePath: resourceFolder).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "libexec/swift/linux").path(percentEncoded: false).removingTrailingSlash
    return ["swift-backtrace-static", "swift-backtrace"].map { folder + "/" + $0 }.first { access($0, X_OK) == 0 }
  }

  /// - Parameter cacheFolder: remembers what the compiler said of itself.
  static func find(cacheFolder: String) throws(DagBagError) -> Toolchain {
    guard let compiler = compilerPath() else {
      throw DagBagError(
        "there is no Swift compiler: \"swiftc\" is not in PATH; install Swift from swift.org, or set DAGRUN_SWIFTC to "
          + "its path, or run files that were compiled elsewhere (dagrun build)")
    }
    let real = realPath(compiler) ?? compiler
    let fingerprint = "\(compiler) \(FileStamp(real)?.text ?? "")"
    let remembered = cacheFolder + "/toolchain.json"
    if let bytes = readWholeFile(remembered),
      let toolchain = try? JSONDecoder().decode(Toolchain.self, from: Data(bytes)),
      toolchain.fingerprint == fingerprint
    {
      return toolchain
    }
    let toolchain = try ask(compiler, fingerprint: fingerprint)
    // Only saves a question the next time.
    if let bytes = try? JSONEncoder().encode(toolchain) { try? AtomicFile.write(bytes, to: remembered) }
    return toolchain
  }

  private static func ask(_ compiler: String, fingerprint: String) throws(DagBagError) -> Toolchain {
    struct Info: Decodable {
      struct Target: Decodable { var triple: String }
      struct Paths: Decodable { var runtimeResourcePath: String }
      var compilerVersion: String
      var target: Target
      var paths: Paths
    }
    let answer: CapturedProcess
    do {
      answer = try Spawn(compiler, ["-print-target-info"], environment: compilerEnvironment).run(timeout: 60)
    } catch {
      throw DagBagError("cannot run the Swift compiler: \(error)")
    }
    guard answer.status.isSuccess, let info = try? JSONDecoder().decode(Info.self, from: Data(answer.text(1).utf8))
    else {
      throw DagBagError("\(compiler) -print-target-info failed (\(answer.status)): \(answer.text(2).prefix(400))")
    }
    // The compiler may be called by a link elsewhere; its other parts are beside its resources.
    let usr = URL(filePath: info.paths.runtimeResourcePath).deletingLastPathComponent().deletingLastPathComponent()
    return Toolchain(
      fingerprint: fingerprint, version: info.compilerVersion, triple: info.target.triple,
      binFolder: usr.path(percentEncoded: false).removingTrailingSlash + "/bin",
      resourceFolder: info.paths.runtimeResourcePath)
  }

  /// The driver of Swift 6.3 crashes where TMPDIR has letters beyond ASCII.
  static var compilerEnvironment: [String: String] {
    ProcessInfo.processInfo.environment.filter { $0.key != "TMPDIR" || $0.value.utf8.allSatisfy { $0 < 0x80 } }
  }

  private static func compilerPath() -> String? {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["DAGRUN_SWIFTC"], !path.isEmpty { return path }
    return (environment["PATH"] ?? "").split(separator: ":").map { $0 + "/swiftc" }.first { access($0, X_OK) == 0 }
  }
}

extension String {
  var removingTrailingSlash: String { count > 1 && hasSuffix("/") ? String(dropLast()) : self }
}

/// Size and time of the last change: differs when the content does, nearly always, and costs no reading.
struct FileStamp: Hashable {
  let text: String

  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    text = "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
  }
}

func realPath(_ path: String) -> String? {
  guard let resolved = realpath(path, nil) else { return nil }
  defer { free(resolved) }
  return String(cString: resolved)
}
