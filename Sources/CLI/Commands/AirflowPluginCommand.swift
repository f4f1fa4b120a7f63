import AirflowPlugin
import ArgumentParser
import Foundation

struct AirflowPluginGroup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "airflow-plugin", abstract: "dagrun's jobs and DAGs in Airflow, 2.9 and later.",
    subcommands: [AirflowPluginWriteCommand.self, AirflowPluginDeployCommand.self],
    defaultSubcommand: AirflowPluginWriteCommand.self)
}

struct AirflowPluginWriteCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "write", abstract: "Writes the plugin: one Python file for Airflow's plugins folder.",
    discussion: """
      The file runs this program's protocol and refuses a binary that does not. See docs/airflow.md.

      --bundle-binary is for machines on which nothing can be installed, such as pods of Kubernetes that share a plugins \
      folder: this program and its libraries are put beside the plugin, in dagrun.tar.gz, and unpacked where the plugin runs.
      """)

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The file to write. (default: standard output)", valueName: "file"),
    completion: .file(extensions: ["py"]))
  var output: String?
  @Option(
    help: ArgumentHelp(
      "Where Airflow's workers find dagrun: a name in their PATH, or an absolute path. There, DAGRUN_BINARY counts more. "
        + "(default: dagrun)",
      valueName: "path"))
  var binary: String?
  @Flag(help: "Put this program and its libraries beside the plugin, as dagrun.tar.gz.") var bundleBinary = false

  func validate() throws {
    if let binary, let problem = AirflowPlugin.problem(withBinary: binary) { throw ValidationError(problem) }
    if output == "" { throw ValidationError("--output names no file") }
    guard bundleBinary else { return }
    if binary != nil { throw ValidationError("--bundle-binary is about this program: leave --binary out") }
    if output == nil || output == "-" {
      throw ValidationError("--bundle-binary needs a folder: name a file with --output")
    }
  }

  func execute(in session: Session) throws -> CommandExit {
    let binary = bundleBinary ? BundledBinary.name : binary ?? "dagrun"
    let text = AirflowPlugin.ofThisTool(binary: binary).text
    guard let output, output != "-" else {
      session.output.write(text)
      return .success
    }
    let path = WorkspacePaths.absolute(output, environment: session.environment, from: session.workingDirectory)
    // First: a plugin that is there finds it.
    if bundleBinary {
      session.output.line(try BundledBinary.put(into: (path as NSString).deletingLastPathComponent, session))
    }
    do {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      throw UserError(
        .unavailable, UserError(explaining: error).message,
        hint: "nothing was written; name a file in a folder that is there and can be written")
    }
    session.output.line(path)
    return .success
  }
}

extension AirflowPlugin {
  static func ofThisTool(binary: String) -> AirflowPlugin {
    AirflowPlugin(version: Version.text, protocolNumber: Version.protocolNumber, binary: binary)
  }
}
