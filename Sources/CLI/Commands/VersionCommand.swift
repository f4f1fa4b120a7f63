import ArgumentParser
import Presentation

enum Version {
  static let text = "0.1.0"
  /// Of what other programs rely on: `dags export`, `tasks run --context`, `job run --leash` and `job serve`. Counted
  /// up when one of them changes so that a program written for the old one fails: 2 has tasks that decide over others
  /// (`skip`).
  static let protocolNumber = 2
}

struct VersionCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Prints the version.",
    discussion: "With -o json also the protocol that programs such as the Airflow plugin speak with this one.")

  @Option(name: .shortAndLong, help: "How to print it.") var output: Format = .plain

  enum Format: String, ExpressibleByArgument, CaseIterable { case plain, json, yaml }

  func execute(in session: Session) throws -> CommandExit {
    let record: OutputObject = ["version": .text(Version.text), "protocol": .int(Version.protocolNumber)]
    switch output {
    case .plain: session.output.line(Version.text)
    case .json: try record.print(.json, to: session)
    case .yaml: try record.print(.yaml, to: session)
    }
    return .success
  }
}
