import Foundation
import Processes

/// Google's own command line, which knows who is logged in.
struct Gcloud {
  var environment: [String: String]

  /// Runs a command to its end.
  ///
  /// - Returns: what it wrote to standard output.
  /// - Throws: a `UserError` that says what to do.
  @discardableResult
  func run(_ arguments: [String], for purpose: String) throws -> String {
    let process: CapturedProcess
    do {
      // Uploads take their time on a slow line.
      process = try Spawn("gcloud", arguments, environment: environment).run(timeout: 1800)
    } catch {
      throw UserError(
        .unavailable, "cannot \(purpose): gcloud cannot be run: \(error)",
        hint: "install the Google Cloud CLI (https://cloud.google.com/sdk/docs/install) and put it into PATH")
    }
    if process.status.isSuccess { return process.text(1).trimmed }
    if process.hasTimedOut {
      throw UserError(.unavailable, "cannot \(purpose): gcloud took longer than half an hour", hint: "try again")
    }
    throw Self.userError(purpose, process)
  }

  private static func userError(_ purpose: String, _ process: CapturedProcess) -> UserError {
    let said = process.text(2).trimmed
    let (status, hint) = advice(said)
    // "ERROR: (gcloud.composer.environments.describe) NOT_FOUND: …"; what stands before it are warnings.
    let lines = said.split(whereSeparator: \.isNewline).map(String.init)
    let error = lines.firstIndex { $0.hasPrefix("ERROR:") }.map { lines[$0...] } ?? lines.suffix(5)
    let reason = said.isEmpty ? "gcloud ended with \(process.status) and said nothing" : error.joined(separator: "\n  ")
    return UserError(status, "cannot \(purpose): \(reason)", hint: hint)
  }

  /// What a failure of gcloud means to the person who runs us.
  static func advice(_ said: String) -> (status: CommandExit, hint: String) {
    func mentions(_ words: String...) -> Bool { words.contains { said.localizedCaseInsensitiveContains($0) } }
    if mentions("active account", "auth login", "refreshing your current auth", "Reauthentication", "UNAUTHENTICATED") {
      return (.unavailable, "log in: gcloud auth login")
    }
    if mentions("property [project]", "[project] is not", "Error parsing [environment]", "project property") {
      return (.wrongUsage, "name the project with --project")
    }
    if mentions("NOT_FOUND", "was not found", "does not exist", "HttpError 404", "HTTPError 404") {
      return (.notFound, "list them: gcloud composer environments list --locations=LOCATION")
    }
    if mentions("PERMISSION_DENIED", "does not have permission", "HTTPError 403", "has not been used in project") {
      return (
        .unavailable,
        "this account needs the roles composer.user, and storage.objectAdmin for the environment's bucket"
      )
    }
    if mentions("INVALID_ARGUMENT", "unrecognized arguments", "Invalid value") {
      return (.wrongUsage, "check the environment's name and location")
    }
    return (.unavailable, "nothing is half done: run the command again once that is mended")
  }
}
