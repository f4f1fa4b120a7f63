import ArgumentParser

struct DoctorCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Checks the installation, and says what to do about what is wrong.",
    discussion: "Exits with 5 when something is wrong that keeps dagrun from working.")

  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> ExitStatus {
    .success
  }
}
