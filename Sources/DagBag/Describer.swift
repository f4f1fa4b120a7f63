import Dagrun
import Foundation
import Processes

/// The main function of the process that describes a compiled DAG file:
/// `dagrun describe-library LIBRARY ENTRY SECONDS`. Writes the description to descriptor 3, where no print of the file can get in between.
///
/// A file may loop for ever, start processes and leave them, and whoever waits for it may be interrupted. So its code
/// runs in a child, with limits, and nothing of it is left when this process has ended.
package func describeMain(arguments: [String]) -> Never {
  guard arguments.count >= 2 else {
    FileHandle.standardError.write(Data("`describe-library` is started by dagrun, not by hand\n".utf8))
    exit(2)
  }
  let seconds = arguments.count > 2 ? Double(arguments[2]) ?? 0 : 3_600
  supervise(seconds: seconds) {
    limitToDescribing()
    describe(library: arguments[0], entry: arguments[1])
  }
}

private func describe(library: String, entry: String) -> Never {
  do {
    try loadDAGFile(library: library, entry: entry)
    let bytes = try JSONEncoder().encode(Registry.description())
    try bytes.withUnsafeBytes { try writeAll($0, to: Describer.descriptor) }
    fflush(nil)
    // What the file registered to run at exit has no business here.
    _exit(0)
  } catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    _exit(Describer.loadFailedCode)
  }
}

/// Runs a compiled file's top-level code in a process of its own, and finds out what it says, or how it broke.
struct Describer: Sendable {
  let executable: String
  let folder: String
  let timeoutSeconds: Double

  static let descriptor: Int32 = 3
  static let loadFailedCode: Int32 = 78
  static let printedLimitBytes = 1 << 16
  /// What the description may depend on; hashed with it. Everything else is not passed on.
  private static let hashedVariables = ["LANG", "LC_ALL", "TZ"]
  private static let passedVariables = ["PATH", "HOME", "LD_LIBRARY_PATH"]

  func addKey(to hash: inout ContentHash) {
    let environment = ProcessInfo.processInfo.environment
    for name in Self.hashedVariables { hash.add(name, environment[name] ?? "") }
    hash.add("dagrun", FileStamp(executable)?.text ?? "")
    hash.add("timeout", "\(timeoutSeconds)")
  }

  enum DescribeOutcome {
    case described(FileDescription, printed: String)
    case failed(ImportError)
    /// The fault may be the machine's: a library that is missing, a compiled file that was cut off.
    case notLoaded(ImportError)

    var filesRead: [FileDescription.ReadFile] {
      switch self {
      case .described(let description, _): description.filesRead
      case .failed, .notLoaded: []
      }
    }
  }

  func describe(_ source: DAGSource, library: String, entry: String) throws(DagBagError) -> DescribeOutcome {
    var environment = ProcessInfo.processInfo.environment.filter {
      Self.hashedVariables.contains($0.key) || Self.passedVariables.contains($0.key)
    }
    // Only to find the line of a crash.
    environment["SWIFT_BACKTRACE"] =
      "enable=yes,color=no,interactive=no,threads=crashed,images=none,registers=none,cache=no"
    // A file, not a pipe: a description has no limit, and what is printed has one. In memory: the disk may be full.
    let answer: Int32
    let result: CapturedProcess
    let began = monotonicSeconds()
    do {
      answer = try openMemoryFile()
      var spawn = Spawn(
        executable, ["describe-library", library, entry, "\(timeoutSeconds)"], environment: environment,
        workingDirectory: folder)
      spawn.descriptors[Self.descriptor] = answer
      // It ends itself, and all that the file has started, when the time is up.
      result = try spawn.run(timeout: timeoutSeconds + 10, limitBytes: Self.printedLimitBytes / 2)
    } catch {
      throw DagBagError("\(error)")
    }
    defer { close(answer) }
    let hasTimedOut =
      result.hasTimedOut || result.status == .signaled(SIGALRM) && monotonicSeconds() - began >= timeoutSeconds
    let bytes = Self.contents(of: answer)
    let printed = result.text(1) + result.text(2)
    func failed(_ message: String, line: Int? = nil) -> DescribeOutcome {
      .failed(
        ImportError(
          path: source.path, line: line, message: message, stage: .describe, details: printed.isEmpty ? nil : printed))
    }
    if hasTimedOut {
      return failed(
        "the file's top-level code did not end within \(formatted(timeoutSeconds)) s; it should only describe DAGs")
    }
    switch result.status {
    case .signaled(let number):
      let crash = Crash(printed, files: source.files)
      return failed(
        "the file's top-level code crashed with \(signalName(number))\(crash.reason.map { ": \($0)" } ?? "")",
        line: crash.line)
    case .exited(Self.loadFailedCode) where bytes.isEmpty:
      let problem = printed.split(separator: "\n").first.map(String.init) ?? "cannot load the compiled file"
      return .notLoaded(ImportError(path: source.path, line: nil, message: problem, stage: .describe))
    case .exited(let code):
      guard let description = try? JSONDecoder().decode(FileDescription.self, from: bytes) else {
        let hint = code == 0 ? ", or with an await at the top level" : ""
        return failed(
          "the file's top-level code ended the process with exit(\(code))\(hint); it should only describe DAGs")
      }
      return .described(description, printed: printed)
    }
  }

  private static func contents(of descriptor: Int32) -> Data {
    lseek(descriptor, 0, SEEK_SET)
    return (try? FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).readToEnd()) ?? Data()
  }

  private func formatted(_ seconds: Double) -> String {
    seconds == seconds.rounded() ? String(Int(saturating: seconds)) : String(seconds)
  }
}

/// What a crash report of the Swift runtime says of the cause and the place.
struct Crash {
  var reason: String?
  /// In one of the user's own files.
  var line: Int?

  init(_ text: String, files: [String]) {
    let lines = text.split(separator: "\n")
    for line in lines {
      if let marker = line.firstRange(of: "Fatal error: ") ?? line.firstRange(of: "Fatal error") {
        reason = String(line[marker.lowerBound...])
        break
      }
    }
    // A frame of the backtrace: `0 main + 42 in file.so at /path/file.swift:12:5`.
    for line in lines {
      guard let marker = line.lastRange(of: " at ") else { continue }
      let place = line[marker.upperBound...].split(separator: ":")
      guard place.count >= 2, files.contains(String(place[0])), let number = Int(place[1].prefix { $0.isNumber }) else {
        continue
      }
      self.line = number
      return
    }
  }
}

extension Substring {
  fileprivate func lastRange(of text: String) -> Range<Index>? { ranges(of: text).last }
}
