import ArgumentParser
import Dagrun
import Foundation
import Presentation
import Storage

struct VariablesListCommand: Command {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the variables.")

  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) throws -> CommandExit {
    let variables = try Workspace(session, global).variables()
    let listing = Listing(
      records: variables.map(\.record), columns: ["key", "value", "description"], whenEmpty: "there are no variables")
    try listing.print(format.output, to: session)
    return .success
  }
}

struct VariablesGetCommand: Command {
  static let configuration = CommandConfiguration(commandName: "get", abstract: "Prints the value of a variable.")

  @Argument(help: "The variable.") var key: String
  @Option(name: .shortAndLong, help: "What to print when there is no such variable.") var `default`: String?
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) throws -> CommandExit {
    let variables = try Workspace(session, global).variables()
    if let value = variables.first(where: { $0.key == key })?.value ?? `default` {
      session.output.log(value + "\n")
      return .success
    }
    throw UserError(notFound: "variable", key, among: variables.map(\.key), hint: "see 'dagrun variables list'")
  }
}

struct VariablesSetCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Makes a variable, or changes it. Runs read it when their next task starts.")

  @Argument(help: "The variable.") var key: String
  @Argument(help: "Its value; '-' reads it from the standard input.") var value: String
  @Option(help: "What it is for.") var description: String = ""
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard !key.isEmpty else { throw ValidationError("a variable needs a name") }
    if let problem = Identifier.problem(withBeginningOf: key) {
      throw ValidationError("the variable's name \"\(key)\" \(problem)")
    }
  }

  func execute(in session: Session) throws -> CommandExit {
    var text = value
    if value == "-" {
      var bytes = try session.readInput()
      if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
      guard let valid = String(validating: bytes, as: UTF8.self) else {
        throw UserError(
          .wrongUsage, "the value of variable \(key) is not UTF-8: a variable holds text",
          hint: "store it as text, such as base64")
      }
      text = valid
    }
    try Workspace(session, global).set(Variable(key: key, value: text, documentation: description))
    session.output.line("variable \(key) is set")
    return .success
  }
}

struct VariablesDeleteCommand: Command {
  static let configuration = CommandConfiguration(commandName: "delete", abstract: "Deletes a variable.")

  @Argument(help: "The variable.") var key: String
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let variables = try workspace.variables()
    guard variables.contains(where: { $0.key == key }) else {
      throw UserError(notFound: "variable", key, among: variables.map(\.key), hint: "see 'dagrun variables list'")
    }
    try workspace.deleteVariable(key)
    session.output.line("variable \(key) is deleted")
    return .success
  }
}
