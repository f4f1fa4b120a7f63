import ArgumentParser
import Presentation

struct DoctorCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Checks the installation, and says what to do about what is wrong.",
    discussion: "Exits with 5 when something is wrong that keeps dagrun from working.")

  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let findings = try await Doctor(workspace: Workspace(session, global)).examine()
    if format.output == .table {
      let style = session.output.style
      let width = findings.map { TextWidth.of($0.subject) }.max() ?? 0
      for finding in findings {
        let mark =
          switch finding.verdict {
          case .good: style.green("ok  ")
          case .warning: style.yellow("warn")
          case .bad: style.red("bad ")
          }
        session.output.line("\(mark)  \(TextWidth.pad(finding.subject, to: width))  \(finding.text)")
        if let advice = finding.advice { session.output.line(String(repeating: " ", count: width + 8) + advice) }
      }
    } else {
      let listing = Listing(
        records: findings.map(\.record), columns: ["subject", "verdict", "text", "advice"], whenEmpty: "")
      try listing.print(format.output, to: session)
    }
    return findings.contains { $0.verdict == .bad } ? .unavailable : .success
  }
}
