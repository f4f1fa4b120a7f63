import AirflowPlugin
import ArgumentParser

struct AirflowPluginDeployCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "deploy", abstract: "Copies the plugin and a binary to an environment of Cloud Composer, by gcloud.",
    discussion: """
      Both go to the folder 'plugins' of the environment's bucket: dagrun_plugin.py, and dagrun.tar.gz with the binary, the \
      Swift runtime and SQLite. Name the binary that 'dagrun build' made to bring compiled DAG files along. \
      Needs gcloud, logged in.
      """)

  @Option(help: ArgumentHelp("The environment.", valueName: "name")) var composerEnvironment: String
  @Option(help: ArgumentHelp("Its location, such as europe-west1.", valueName: "location")) var location: String
  @Option(help: ArgumentHelp("Its project. (default: gcloud's own)", valueName: "project")) var project: String?
  @Option(
    help: ArgumentHelp("The binary to copy. (default: this one)", valueName: "path"), completion: .file())
  var binary: String?
  @Flag(help: "Look at the binary and print gcloud's command lines; copy nothing.") var dryRun = false

  private var environment: ComposerEnvironment {
    ComposerEnvironment(name: composerEnvironment, location: location, project: project)
  }

  func validate() throws {
    if let problem = environment.problem { throw ValidationError(problem) }
    if binary == "" { throw ValidationError("--binary names no file") }
  }

  func execute(in session: Session) throws -> CommandExit {
    let path = binary.map {
      WorkspacePaths.absolute($0, environment: session.environment, from: session.workingDirectory)
    }
    let deployment = ComposerDeployment(
      environment: environment, binary: path ?? Workspace.executable, session: session)
    if dryRun { try deployment.rehearse() } else { try deployment.deploy() }
    return .success
  }
}
