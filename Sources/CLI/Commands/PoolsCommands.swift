import ArgumentParser
import Control
import Dagrun
import Model
import Presentation
import Scheduling
import Storage

struct PoolsListCommand: Command {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the pools and their use.")

  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) throws -> CommandExit {
    let pools = try Workspace(session, global).pools()
    let listing = Listing(
      records: pools.map(\.record),
      columns: ["name", "slots", "open_slots", "running_slots", "queued_slots", "scheduled_slots", "description"],
      whenEmpty: "there are no pools")
    try listing.print(format.output, to: session)
    return .success
  }
}

struct PoolsGetCommand: Command {
  static let configuration = CommandConfiguration(commandName: "get", abstract: "Shows a pool.")

  @Argument(help: "The pool.") var name: String
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) throws -> CommandExit {
    let pools = try Workspace(session, global).pools()
    guard let pool = pools.first(where: { $0.pool.name == name }) else {
      throw UserError(notFound: "pool", name, among: pools.map(\.pool.name), hint: "see 'dagrun pools list'")
    }
    try pool.record.print(format.output, to: session)
    return .success
  }
}

struct PoolsSetCommand: Command {
  static let configuration = CommandConfiguration(commandName: "set", abstract: "Makes a pool, or changes it.")

  @Argument(help: "The pool.") var name: String
  @Argument(help: "How many slots, or 'unlimited'.", transform: SlotCount.read) var slots: SlotCount
  @Argument(help: "What it is for.") var description: String = ""
  @Flag(help: "Tasks that wait outside the machine keep their slots.") var includeDeferred = false
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard !name.isEmpty else { throw ValidationError("a pool needs a name") }
  }

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    _ = try await workspace.ask(
      .setPool(name: name, slots: slots.number, documentation: description, includeDeferred: includeDeferred))
    session.output.line("pool \(name): \(slots.text)")
    return .success
  }
}

struct PoolsDeleteCommand: Command {
  static let configuration = CommandConfiguration(commandName: "delete", abstract: "Deletes a pool.")

  @Argument(help: "The pool.") var name: String
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    _ = try await workspace.ask(.deletePool(name: name))
    session.output.line("pool \(name) is deleted")
    return .success
  }
}

/// A number, or `unlimited`. (`-1`, which Airflow takes, looks like an option; it is read after `--`.)
struct SlotCount {
  /// -1: without limit.
  var number: Int

  static func read(_ text: String) throws -> SlotCount {
    SlotCount(number: text == "unlimited" ? -1 : try BoundedNumber.whole(.poolSize)(text))
  }

  var text: String {
    switch number {
    case -1: "no limit"
    case 1: "1 slot"
    default: "\(number) slots"
    }
  }
}
