import ArgumentParser

/// A subcommand that does something. `ParsableCommand.run` knows no session and no exit status, hence this.
protocol Command: ParsableCommand {
  func execute(in session: Session) async throws -> CommandExit
}

struct GlobalOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder of the database, logs and socket. (environment: DAGRUN_HOME; default: .dagrun beside the dags folder)",
      valueName: "folder"),
    completion: .directory)
  var home: String?

  @Option(
    help: ArgumentHelp(
      "The folder of the DAG files. (environment: DAGRUN_DAGS_FOLDER; default: the nearest 'dags' upward)",
      valueName: "folder"),
    completion: .directory)
  var dagsFolder: String?
}

struct FormatOption: ParsableArguments {
  @Option(name: .shortAndLong, help: "How to print it.")
  var output: OutputFormat = .table
}

extension OutputFormat: ExpressibleByArgument {}
