import Dagrun
import Foundation
import Logging

/// What a command has of the world around it. Tests make their own.
struct Session: Sendable {
  var environment: [String: String]
  var workingDirectory: String
  var output: Output
  var errors: Output
  /// A line that a person typed; nil at the end of the input.
  var readLine: @Sendable () -> String?
  var inputIsTerminal: Bool
  /// The standard input to its end.
  var readInput: @Sendable () throws -> Data = { try FileHandle.standardInput.readToEnd() ?? Data() }

  static func process() -> Session {
    let environment = ProcessInfo.processInfo.environment
    return Session(
      environment: environment, workingDirectory: FileManager.default.currentDirectoryPath,
      output: .descriptor(STDOUT_FILENO, environment: environment),
      errors: .descriptor(STDERR_FILENO, environment: environment),
      readLine: { Swift.readLine() }, inputIsTerminal: isatty(STDIN_FILENO) == 1)
  }

  /// - Parameters: as given on the command line; nil: by the environment, or as found.
  func places(home: String? = nil, dagsFolder: String? = nil) throws -> WorkspacePaths {
    try WorkspacePaths.find(
      home: home, dagsFolder: dagsFolder, environment: environment, workingDirectory: workingDirectory,
      bundledFolder: Workspace.bundledDAGsFolder)
  }

  /// Asks before something is lost. Where nobody can answer, `-y` has to.
  func confirm(_ question: String) throws {
    guard inputIsTerminal else {
      throw UserError(
        .wrongUsage, "\(question) Nobody can answer: the input is not a terminal", hint: "say -y to go ahead")
    }
    errors.write("\(question) [y/N] ")
    let answer = readLine()?.lowercased()
    guard answer == "y" || answer == "yes" else {
      throw UserError(.interrupted, "not confirmed; nothing was changed")
    }
  }
}

extension Session {
  /// What a person has to know of, on standard error.
  var logger: Logger {
    var logger = Logger(label: "dagrun", factory: { [errors] _ in ConsoleLog(output: errors) })
    logger.logLevel = .warning
    return logger
  }

  /// For what belongs to a question, not to the result.
  var withOutputToErrors: Session {
    var copy = self
    copy.output = errors
    return copy
  }
}
