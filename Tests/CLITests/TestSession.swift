import Foundation

@testable import CLI

/// A session whose texts can be read afterwards.
final class TestSession: @unchecked Sendable {
  private let lock = NSLock()
  private var written: (output: String, errors: String) = ("", "")
  private var answers: [String]
  private let terminalColumns: Int?
  var environment: [String: String] = [:]
  var workingDirectory = "/"

  /// - Parameter terminalColumns: nil: the output is not a terminal.
  init(terminalColumns: Int? = nil, answers: [String] = []) {
    self.terminalColumns = terminalColumns
    self.answers = answers
  }

  var output: String { lock.withLock { written.output } }
  var errors: String { lock.withLock { written.errors } }

  var session: Session {
    func sink(_ write: @escaping @Sendable (String) -> Void) -> Output {
      Output(isTerminal: terminalColumns != nil, columns: terminalColumns, sink: write)
    }
    return Session(
      environment: environment, workingDirectory: workingDirectory,
      output: sink { text in self.lock.withLock { self.written.output += text } },
      errors: sink { text in self.lock.withLock { self.written.errors += text } },
      readLine: { self.lock.withLock { self.answers.isEmpty ? nil : self.answers.removeFirst() } },
      inputIsTerminal: !answers.isEmpty)
  }

  func run(_ arguments: String...) async -> CommandExit { await CommandRunner.run(arguments, in: session) }
}

/// A folder with an empty `dags`, gone after the test.
final class TestFolder {
  let path: String

  init(_ name: String = "dagrun test ünï") throws {
    path = FileManager.default.temporaryDirectory.path + "/\(name)-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path + "/dags", withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
