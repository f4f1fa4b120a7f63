import ArgumentParser
import Foundation
import Model
import Presentation
import Storage

struct DatabaseCheckCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks the database for damage. Exits with 5 if there is any.")

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let damage = try workspace.existingReader().check()
    guard damage.isEmpty else {
      for line in damage { session.output.line(line) }
      throw UserError(
        .unavailable, "the database \(workspace.places.home.databasePath) is damaged",
        hint: "stop the scheduler and put a backup in its place ('dagrun db backup' makes them)")
    }
    session.output.line("\(workspace.places.home.databasePath): no damage")
    return .success
  }
}

struct DatabaseBackupCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copies the database to a file, also while a scheduler writes to it.")

  @Argument(help: "The file to make.", completion: .file()) var path: String
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let target = WorkspacePaths.absolute(path, environment: session.environment, from: session.workingDirectory)
    guard !FileManager.default.fileExists(atPath: target) else {
      throw UserError(.wrongUsage, "\(target) exists already", hint: "name another file, or remove that one")
    }
    try workspace.existingReader().backup(to: target)
    session.output.line(target)
    return .success
  }
}

struct DatabaseInfoCommand: Command {
  static let configuration = CommandConfiguration(commandName: "info", abstract: "Shows what is in the database.")

  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) throws -> CommandExit {
    try Workspace(session, global).existingReader().info().record.print(format.output, to: session)
    return .success
  }
}
