import ArgumentParser

enum Version {
  static let text = "0.1.0"
}

struct VersionCommand: Command {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")

  func execute(in session: Session) -> ExitStatus {
    session.output.line(Version.text)
    return .success
  }
}
