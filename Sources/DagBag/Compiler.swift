import Basics
import Dagrun
import Foundation
import Processes

/// Makes a shared object of a DAG file. Calls the compiler's frontend and the linker themselves: the driver that
/// usually does so takes longer than both.
struct Compiler: Sendable {
  let toolchain: Toolchain
  let library: AuthoringLibrary
  let cacheFolder: String
  let moduleCacheFolder: String

  /// A hung compiler must not hang the scheduler.
  static let timeoutSeconds = 300.0
  static let packageTimeoutSeconds = 3_600.0

  /// What the compiled file depends on besides its sources.
  func addKey(to hash: inout ContentHash) {
    hash.add("format", "2")
    hash.add("compiler", toolchain.frontend)
    hash.add("flags", Self.flags.joined(separator: " "))
    hash.add("identity", identity)
  }

  /// What the compiled file and the executable that loads it must agree on.
  var identity: String { "\(toolchain.version) \(toolchain.triple) \(library.hash)" }

  private static let flags = [
    "-swift-version", "6", "-Onone", "-g", "-enable-upcoming-feature", "MemberImportVisibility",
  ]

  /// - Throws: `ImportError` with the compiler's words.
  func compile(_ source: DAGSource, entry: String, to path: String) throws(CompileFailure) {
    let object = AtomicFile.temporaryPath(for: path) + ".o"
    let temporary = AtomicFile.temporaryPath(for: path)
    defer { for file in [object, temporary] { unlink(file) } }
    try emitObject(source, entry: entry, to: object)
    try link([object], to: temporary, source: source)
    do {
      try AtomicFile.publish(temporary, as: path)
    } catch {
      throw .machine(error)
    }
  }

  private func emitObject(_ source: DAGSource, entry: String, to object: String) throws(CompileFailure) {
    var arguments = ["-frontend", "-c"]
    if source.files.count == 1 { arguments.append("-primary-file") }
    arguments += source.files
    arguments += ["-target", toolchain.triple, "-disable-objc-interop", "-no-color-diagnostics"] + Self.flags
    arguments += ["-I", library.folder, "-module-name", Self.moduleName(for: source.path)]
    arguments += ["-entry-point-function-name", entry, "-module-cache-path", moduleCacheFolder]
    arguments += ["-in-process-plugin-server-path", toolchain.resourceFolder + "/host/libSwiftInProcPluginServer.so"]
    arguments += ["-plugin-path", toolchain.resourceFolder + "/host/plugins", "-o", object]
    let result = try run(toolchain.frontend, arguments, Self.timeoutSeconds)
    guard result.hasTimedOut || !result.status.isSuccess else { return }
    throw .importError(Self.importError(source, result, tool: "the compiler"))
  }

  /// Undefined symbols stay: they are found in the executable that loads the file, and in what it has loaded.
  ///
  /// - Parameter entryAlias: another name for the function that runs the top-level code, and the one it has.
  func link(
    _ objects: [String], to path: String, source: DAGSource, entryAlias: (name: String, target: String)? = nil
  ) throws(CompileFailure) {
    var arguments = ["-shared", "--build-id", "-z", "now", "-o", path, toolchain.registration] + objects
    if let entryAlias { arguments.append("--defsym=\(entryAlias.name)=\(entryAlias.target)") }
    for folder in libraryFolders { arguments += ["-L", folder] }
    // In a bundle, the runtime lies one folder above.
    arguments += ["-rpath", toolchain.runtimeFolder + ":$ORIGIN/..", "--as-needed"]
    for object in objects { arguments += autolinkFlags(object) }
    var executable = toolchain.linker
    if executable == nil {
      executable = toolchain.binFolder + "/clang"
      arguments = arguments.flatMap { $0.hasPrefix("-") && $0 != "-shared" && $0 != "-o" ? ["-Xlinker", $0] : [$0] }
    }
    let result = try run(executable ?? "", arguments, Self.timeoutSeconds)
    guard result.hasTimedOut || !result.status.isSuccess else { return }
    throw .importError(Self.importError(source, result, tool: "the linker"))
  }

  /// The libraries that an object's imports ask for (`-lFoundation`), which the compiler leaves in a section of it.
  private func autolinkFlags(_ object: String) -> [String] {
    guard let bytes = readWholeFile(object), let section = ELFObject.section(".swift1_autolink_entries", of: bytes)
    else {
      return []
    }
    // The C library's own parts are loaded in any case, and are not always there as files to link with.
    return section.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.filter { entry in
      entry.hasPrefix("-l") && libraryFolders.contains { access("\($0)/lib\(entry.dropFirst(2)).so", R_OK) == 0 }
    }
  }

  private var libraryFolders: [String] {
    let architecture = toolchain.triple.split(separator: "-").first ?? "x86_64"
    return [toolchain.runtimeFolder, "/usr/lib/\(architecture)-linux-gnu", "/usr/lib64", "/usr/lib"]
  }

  private func run(
    _ executable: String, _ arguments: [String], _ timeout: Double
  ) throws(CompileFailure) -> CapturedProcess {
    do {
      let result = try Self.privately(executable, arguments).run(timeout: timeout)
      if let problem = result.machineProblem { throw DagBagError("cannot compile: \(problem)") }
      return result
    } catch {
      throw .machine(error as? DagBagError ?? DagBagError("\(error)"))
    }
  }

  /// A tool that makes its files for their owner only.
  static func privately(_ executable: String, _ arguments: [String]) -> Spawn {
    Spawn(
      "/bin/sh", ["-c", "umask 077; exec \"$0\" \"$@\"", executable] + arguments,
      environment: Toolchain.compilerEnvironment)
  }

  /// Two files are two modules, whatever their names, and none is the module of a library.
  static func moduleName(for path: String) -> String {
    let stem = URL(filePath: path).deletingPathExtension().lastPathComponent
    let letters = stem.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
    let name = letters.first?.isNumber == true ? "_" + String(letters) : String(letters)
    return name + "_" + SHA256.hex(of: Data(path.utf8)).prefix(8)
  }

  static func importError(_ source: DAGSource, _ result: CapturedProcess, tool: String) -> ImportError {
    if result.hasTimedOut {
      return ImportError(
        path: source.path, line: nil, message: "\(tool) took longer than \(Int(saturating: timeoutSeconds)) s",
        stage: .compile)
    }
    let text = (result.text(2) + result.text(1)).trimmingCharacters(in: .newlines)
    let error = Diagnostic.first(in: text)
    return ImportError(
      path: error?.path.flatMap { source.files.contains($0) ? $0 : nil } ?? source.path, line: error?.line,
      message: error.map { $0.message + $0.hint } ?? "\(tool) failed (\(result.status))", stage: .compile, details: text
    )
  }
}

extension CapturedProcess {
  /// What is wrong with the machine, in the tool's words. No file is to blame for it, and the next attempt may work.
  fileprivate var machineProblem: Substring? {
    guard !hasTimedOut, !status.isSuccess else { return nil }
    // The compiler's words for a file begin with its path and line.
    let lines = (text(2) + text(1)).split(separator: "\n").filter { !$0.contains(#/:\d+:\d+: /#) }
    let codes = [ENOSPC, EDQUOT, EFBIG, EIO, EROFS, ENOMEM, EMFILE, ENFILE]
    return lines.first { line in codes.contains { line.contains(String(cString: strerror($0))) } }
  }
}

enum CompileFailure: Error {
  /// The file is to blame: the same every time.
  case importError(ImportError)
  /// The machine is: worth another attempt.
  case machine(DagBagError)
}

extension Diagnostic {
  /// What the compiler cannot know: that a member without a type, in a template, was to be a variable of it.
  var hint: String {
    guard let member = message.firstMatch(of: #/reference to member '(\w+)' cannot be resolved/#)?.1 else { return "" }
    let names = TemplateVariable.spellings
    if let meant = Identifier.closest(to: String(member), in: names) { return "; did you mean .\(meant)?" }
    return "; templates have .\(names.joined(separator: ", ."))"
  }
}

/// One error in what the compiler printed: `/path/file.swift:12:5: error: words`.
struct Diagnostic {
  var path: String?
  var line: Int?
  var message: String

  static func first(in text: String) -> Diagnostic? {
    for line in text.split(separator: "\n") {
      guard
        let marker = line.firstRange(of: " error: ")
          ?? (line.hasPrefix("error: ") ? line.firstRange(of: "error: ") : nil)
      else { continue }
      let message = String(line[marker.upperBound...])
      let place = line[..<marker.lowerBound].split(separator: ":")
      guard place.count >= 3, let number = Int(place[place.count - 2]) else {
        return Diagnostic(path: nil, line: nil, message: message)
      }
      return Diagnostic(path: place.dropLast(2).joined(separator: ":"), line: number, message: message)
    }
    return nil
  }
}
