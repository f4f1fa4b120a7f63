import ArgumentParser

struct BuildCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "build",
    abstract: "Compiles the DAG files into a folder, for machines without the Swift toolchain.")

  @Option(name: .shortAndLong, help: "The folder to make.", completion: .directory) var output: String
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> ExitStatus {
    .success
  }
}
