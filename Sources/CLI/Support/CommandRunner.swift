import ArgumentParser
import Dagrun

/// Runs a command line and turns whatever comes of it into text and an exit status: the only place that does.
enum CommandRunner {
  static func run(_ arguments: [String], in session: Session) async -> CommandExit {
    do {
      var session = session
      let arguments = try takeLeadingOptions(arguments, into: &session)
      try checkSubcommands(arguments)
      switch parse(arguments) {
      case .success(let command): return try await command.execute(in: session)
      case .failure(let outcome): return outcome.report(in: session)
      }
    } catch let error as ValidationError {
      return ParserOutcome(error: error).report(in: session)
    } catch {
      let userError = UserError(explaining: error)
      session.errors.write(userError.text)
      return userError.status
    }
  }

  private static func parse(_ arguments: [String]) -> Result<any Command, ParserOutcome> {
    do {
      var parsed = try RootCommand.parseAsRoot(arguments)
      if let command = parsed as? any Command { return .success(command) }
      // A group without its subcommand, or `help`: throws the request for its help.
      try parsed.run()
      return .failure(ParserOutcome(error: CleanExit.message("")))
    } catch {
      return .failure(ParserOutcome(error: error))
    }
  }

  /// `dagrun --home X dags list`: an option before the subcommand is as good as its environment variable.
  private static func takeLeadingOptions(_ arguments: [String], into session: inout Session) throws -> [String] {
    let variables = ["--home": "DAGRUN_HOME", "--dags-folder": "DAGRUN_DAGS_FOLDER"]
    var rest = arguments[...]
    while let first = rest.first {
      let parts = first.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let variable = variables[parts[0]] else { break }
      rest.removeFirst()
      guard let value = parts.count == 2 ? parts[1] : rest.popFirst(), !value.isEmpty else {
        throw UserError(.wrongUsage, "\(parts[0]) names no folder", hint: "write \(parts[0]) <folder>")
      }
      session.environment[variable] = value
    }
    return Array(rest)
  }

  /// A mistyped subcommand, before the parser calls it an unexpected argument.
  private static func checkSubcommands(_ arguments: [String]) throws {
    var command: any ParsableCommand.Type = RootCommand.self
    var path = "dagrun"
    for word in arguments {
      let configuration = command.configuration
      guard !configuration.subcommands.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
      guard let next = configuration.subcommands.first(where: { $0.configuration.commandName == word }) else {
        if configuration.defaultSubcommand != nil { return }
        // Closures: key paths through a metatype crash the compiler (Swift 6.3).
        let shown = configuration.subcommands.filter { $0.configuration.shouldDisplay }
        let names = shown.compactMap { $0.configuration.commandName }
        let question = Identifier.closest(to: word, in: names).map { "; did you mean '\($0)'?" } ?? ""
        throw UserError(
          .wrongUsage, "\(path) has no command '\(word)'\(question)", hint: "see '\(path) --help'")
      }
      command = next
      path += " " + word
    }
  }
}

/// What the argument parser made of a command line: help that was asked for, or a mistake in it.
private struct ParserOutcome: Error {
  var error: any Error

  func report(in session: Session) -> CommandExit {
    let isHelp = RootCommand.exitCode(for: error) == .success
    let reader = isHelp ? session.output : session.errors
    let text = RootCommand.fullMessage(for: error, columns: min(reader.columns ?? 100, 120))
    reader.write(text.hasSuffix("\n") || text.isEmpty ? text : text + "\n")
    return isHelp ? .success : .wrongUsage
  }
}
