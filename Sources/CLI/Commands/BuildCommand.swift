import ArgumentParser
import DagBag

struct BuildCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "build",
    abstract: "Compiles the DAG files into a folder that runs without the Swift toolchain.",
    discussion: """
      The folder holds the command itself, the compiled files and the Swift runtime. Copy it to a machine of the same \
      kind and use the dagrun in it: it needs no dags folder. SQLite and OpenSSL have to be there.
      """)

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to make.", valueName: "folder"), completion: .directory)
  var output: String
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) throws -> CommandExit {
    let workspace = try Workspace(session, global)
    try workspace.checkDAGsFolder()
    let folder = WorkspacePaths.absolute(output, environment: session.environment, from: session.workingDirectory)
    let contents = try workspace.dagBag.build(into: folder)
    guard contents.importErrors.isEmpty else {
      for error in contents.importErrors { session.errors.write(error.text(style: session.errors.style)) }
      throw UserError(.importErrors, "nothing was built: mend these files first")
    }
    let count = contents.files.count
    session.output.line("\(folder): \(count) \(count == 1 ? "file" : "files"); run \(folder)/dagrun")
    return .success
  }
}
