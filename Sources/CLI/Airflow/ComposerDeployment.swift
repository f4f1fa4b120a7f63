import AirflowPlugin
import Foundation
import Processes

/// Puts the plugin and a binary into an environment of Cloud Composer: everything is looked at first, then the archive
/// is copied, and the plugin that uses it last.
struct ComposerDeployment {
  let environment: ComposerEnvironment
  /// The binary's path, as it was given.
  let binary: String
  let session: Session

  private var gcloud: Gcloud { Gcloud(environment: session.environment) }
  private var plugin: AirflowPlugin { .ofThisTool(binary: ComposerEnvironment.archivePath) }

  /// Says what would be done.
  func rehearse() throws {
    let portable = try examine()
    session.output.line("would copy, with \(portable.libraries.count) libraries: \(portable.executable)")
    for arguments in commands(in: "FOLDER") {
      session.output.line((["gcloud"] + arguments).map(ShellWord.quote).joined(separator: " "))
    }
  }

  func deploy() throws {
    let portable = try examine()
    let bucket = try gcloud.run(environment.describe, for: "look at the environment \(environment.name)")
    let folder = FileManager.default.temporaryDirectory.path + "/dagrun-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try prepare(portable, in: folder)
    for (name, arguments) in zip(Self.fileNames, commands(in: folder).dropFirst()) {
      session.errors.line("copying \(name)")
      try gcloud.run(arguments, for: "copy \(name) to \(environment.name)")
    }
    let place = bucket.hasSuffix("/dags") ? bucket.dropLast("/dags".count) + "/plugins" : "the environment's plugins"
    session.output.line("\(environment.name): \(Self.fileNames.joined(separator: " and ")) are in \(place)")
    session.errors.line("Composer brings them to Airflow within a few minutes; then DAGs can import dagrun_plugin.")
  }

  /// In the order in which they arrive.
  private static let fileNames = [ComposerEnvironment.archiveName, ComposerEnvironment.pluginName]

  private func commands(in folder: String) -> [[String]] {
    [environment.describe] + Self.fileNames.map { environment.importPlugin(folder + "/" + $0) }
  }

  /// Refuses what cannot run there, and says what has to be there.
  private func examine() throws -> PortableBinary {
    let portable = try PortableBinary(binary)
    try checkProtocol(of: portable.executable)
    session.errors.line("the environment's image has to have: \(portable.needs)")
    if portable.bundleNames.isEmpty {
      session.errors.line("without compiled DAG files: for dagrun_dags(), deploy the dagrun that 'dagrun build' makes")
    }
    return portable
  }

  private func checkProtocol(of executable: String) throws {
    if executable == Workspace.executable { return }
    struct Answer: Decodable {
      var version: String
      var `protocol`: Int
    }
    let ran = try? Spawn(executable, ["version", "-o", "json"], environment: session.environment).run(timeout: 60)
    guard let ran, let answer = try? JSONDecoder().decode(Answer.self, from: Data(ran.text(1).utf8)) else {
      throw UserError(
        .wrongUsage, "\(binary) does not say which protocol it speaks: \(ran?.text(2).trimmed ?? "it cannot be run")",
        hint: "name a dagrun of version \(Version.text) with --binary")
    }
    guard answer.protocol == Version.protocolNumber else {
      throw UserError(
        .wrongUsage,
        "\(binary) is dagrun \(answer.version) and speaks protocol \(answer.protocol); the plugin would be of dagrun "
          + "\(Version.text) and speak protocol \(Version.protocolNumber)",
        hint: "deploy with that binary itself: \(ShellWord.quote(binary)) airflow-plugin deploy …")
    }
  }

  private func prepare(_ portable: PortableBinary, in folder: String) throws {
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try plugin.text.write(
      toFile: folder + "/" + ComposerEnvironment.pluginName, atomically: false, encoding: .utf8)
    try portable.pack(into: folder + "/" + ComposerEnvironment.archiveName, staging: folder + "/staging")
  }
}
