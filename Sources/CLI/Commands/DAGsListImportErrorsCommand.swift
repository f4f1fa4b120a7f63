import ArgumentParser
import Presentation

struct DAGsListImportErrorsCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "list-import-errors", abstract: "Lists what is wrong with DAG files. Exits with 4 if anything is.")

  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let files = try await Workspace(session, global).dagFiles()
    if format.output == .table {
      // Compilers' messages span lines; a table would cut them to pieces.
      for error in files.importErrors { session.output.write(error.text(style: session.output.style)) }
      if files.importErrors.isEmpty { session.errors.line("there are no import errors") }
    } else {
      let listing = Listing(
        records: files.importErrors.map(\.record), columns: ["filename", "line", "message"], whenEmpty: "")
      try listing.print(format.output, to: session)
    }
    for warning in files.warnings { session.errors.line("warning: \(warning)") }
    return files.importErrors.isEmpty ? .success : .importErrors
  }
}
