import AirflowPlugin
import ArgumentParser
import Foundation

struct AirflowPluginGroup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "airflow-plugin", abstract: "dagrun's jobs and DAGs in Airflow, 2.6 and later.",
    subcommands: [AirflowPluginWriteCommand.self, AirflowPluginDeployCommand.self],
    defaultSubcommand: AirflowPluginWriteCommand.self)
}

struct AirflowPluginWriteCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "write", abstract: "Writes the plugin: one Python file for Airflow's plugins folder.",
    discussion: "The file runs this program's protocol and refuses a binary that does not. See docs/airflow.md.")

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The file to write. (default: standard output)", valueName: "file"),
    completion: .file(extensions: ["py"]))
  var output: String?
  @Option(
    help: ArgumentHelp(
      "Where Airflow's workers find dagrun: a name in their PATH, or an absolute path. There, DAGRUN_BINARY counts more.",
      valueName: "path"))
  var binary = "dagrun"

  func validate() throws {
    if let problem = AirflowPlugin.problem(withBinary: binary) { throw ValidationError(problem) }
    if output == "" { throw ValidationError("--output names no file") }
  }

  func execute(in session: Session) throws -> ExitStatus {
    let text = AirflowPlugin.ofThisTool(binary: binary).text
    guard let output, output != "-" else {
      session.output.write(text)
      return .success
    }
    let path = Places.absolute(output, environment: session.environment, from: session.workingDirectory)
    do {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      throw Complaint(
        .unavailable, Complaint(explaining: error).message,
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
