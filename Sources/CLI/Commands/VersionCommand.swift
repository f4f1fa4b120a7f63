import ArgumentParser

enum Version {
  static let text = "0.1.0"
  /// Of what other programs rely on: `dags export`, `tasks run --context`, `job run --leash` and `job serve`. Counted up
  /// when one of them changes so that a program written for the old one fails.
  static let protocolNumber = 1
}

struct VersionCommand: Command {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")

  func execute(in session: Session) -> ExitStatus {
    session.output.line(Version.text)
    return .success
  }
}
