import ArgumentParser
import Control
import Dagrun
import Foundation
import GoogleCloud
import Presentation

/// Where the emulator is that a command speaks to.
struct EmulatorAddress: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The emulator. (default: what CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE or PUBSUB_EMULATOR_HOST name)",
      valueName: "host:port/secret"))
  var address: String?

  func ask(
    _ method: String, _ path: String, body: Data? = nil, in session: Session
  ) async throws -> JSONValue {
    let base = try base(session.environment)
    var request = HTTPRequest(method, "\(base)/emulator/\(path)", body: body)
    // Each JSON text is YAML too.
    if body != nil { request.headers.append((name: "Content-Type", value: "application/yaml")) }
    let response: HTTPResponse
    do {
      response = try await HTTPClient().send(request)
    } catch {
      throw UserError(.unavailable, "no emulator answers at \(base): \(error)", hint: "start one: dagrun emulator")
    }
    let json = try? JSONDecoder().decode(JSONValue.self, from: response.body)
    guard (200..<300).contains(response.status) else {
      throw UserError(response.status == 404 ? .notFound : .wrongUsage, json?.message ?? "status \(response.status)")
    }
    guard let json else { throw UserError(.unavailable, "what answers at \(base) is not an emulator of dagrun") }
    return json
  }

  private func base(_ environment: [String: String]) throws -> String {
    if let address { return Self.base(address) }
    if let host = environment["PUBSUB_EMULATOR_HOST"], !host.isEmpty { return Self.base(host) }
    if let compute = environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"], !compute.isEmpty {
      let base = Self.base(compute)
      return base.hasSuffix("/compute/v1") ? String(base.dropLast("/compute/v1".count)) : base
    }
    throw UserError(
      .wrongUsage, "it is not said where the emulator is",
      hint: "say --address HOST:PORT/SECRET, or take over the variables that 'dagrun emulator' prints")
  }

  /// With a scheme, and without a slash at its end.
  private static func base(_ address: String) -> String {
    var base = address.contains("://") ? address : "http://\(address)"
    while base.hasSuffix("/") { base.removeLast() }
    return base
  }
}

extension JSONValue {
  /// Of Google's form of an error.
  fileprivate var message: String? {
    guard case .object(let whole) = self, case .object(let error)? = whole["error"],
      case .string(let text)? = error["message"]
    else { return nil }
    return text
  }
}

struct EmulatorInventoryCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "inventory", abstract: "Shows what there is in the emulated cloud.",
    discussion: "With --empty, ends with 1 when a template, group, instance, topic or subscription is there.")

  @Flag(help: "Nothing of any job may be left.") var empty = false
  @OptionGroup var format: FormatOption
  @OptionGroup var emulator: EmulatorAddress

  func execute(in session: Session) async throws -> CommandExit {
    let inventory = try await emulator.ask("GET", "inventory", in: session)
    guard case .object(let fields) = inventory else {
      throw UserError(.unavailable, "the emulator's inventory cannot be read")
    }
    let kinds = ["instanceTemplates", "instanceGroupManagers", "instances", "topics", "subscriptions"]
    let left = kinds.filter { if case .array(let items)? = fields[$0] { !items.isEmpty } else { false } }
    let sorted = fields.sorted { $0.key < $1.key }.map { ($0.key, OutputValue($0.value)) }
    try OutputObject(sorted).print(format.output, to: session)
    guard empty, !left.isEmpty else { return .success }
    session.errors.line("not empty: there are \(left.joined(separator: ", "))")
    return .runFailed
  }
}

struct EmulatorBillingCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "billing", abstract: "Shows what each VM is charged for.",
    discussion: """
      From RUNNING until it is off or gone, by the emulator's clock; a minute at least. What 'dagrun job cost' says \
      of the same VMs is to agree with it.
      """)

  @OptionGroup var format: FormatOption
  @OptionGroup var emulator: EmulatorAddress

  func execute(in session: Session) async throws -> CommandExit {
    guard case .object(let fields) = try await emulator.ask("GET", "billing", in: session),
      case .array(let machines)? = fields["machines"]
    else { throw UserError(.unavailable, "the emulator's billing cannot be read") }
    let records = machines.compactMap { machine -> OutputObject? in
      guard case .object(let record) = OutputValue(machine) else { return nil }
      return record
    }
    try Listing(
      records: records, columns: ["instance", "machineType", "isSpot", "beganAt", "endedAt", "chargedSeconds"],
      whenEmpty: "no VM was ever up"
    ).print(format.output, to: session)
    return .success
  }
}

struct EmulatorPreemptCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "preempt", abstract: "Preempts an instance: notice, grace, end.")

  @Argument(help: "The instance.") var instance: String
  @Option(
    help: ArgumentHelp("From the notice to the end.", valueName: "time"), transform: BoundedNumber.duration(.grace))
  var grace: DurationOption?
  @OptionGroup var emulator: EmulatorAddress

  func execute(in session: Session) async throws -> CommandExit {
    let name =
      instance.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-"))) ?? ""
    let query = grace.map { "?grace=\($0.seconds)" } ?? ""
    _ = try await emulator.ask("POST", "preempt/\(name)\(query)", in: session)
    session.output.line("instance \(instance) is preempted")
    return .success
  }
}

struct EmulatorFaultCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "fault", abstract: "Makes things go wrong: stock-outs, errors, lost answers. (docs/emulator.md)",
    discussion: "Without arguments lists the faults there are.")

  @Argument(help: ArgumentHelp("Rules in JSON or YAML; - for standard input.", valueName: "file"), completion: .file())
  var file: String?
  @Option(help: ArgumentHelp("Takes a fault away.", valueName: "id")) var remove: String?
  @Flag(help: "Takes all faults away.") var clear = false
  @OptionGroup var format: FormatOption
  @OptionGroup var emulator: EmulatorAddress

  func execute(in session: Session) async throws -> CommandExit {
    if clear { _ = try await emulator.ask("DELETE", "faults", in: session) }
    if let remove { _ = try await emulator.ask("DELETE", "faults/\(remove)", in: session) }
    if let file {
      let answer = try await emulator.ask("POST", "faults", body: try JobSpecFile.contents(of: file), in: session)
      if case .object(let fields) = answer, case .array(let ids)? = fields["ids"] {
        for case .string(let id) in ids { session.output.line(id) }
      }
    }
    guard file == nil, remove == nil, !clear else { return .success }
    guard case .object(let fields) = try await emulator.ask("GET", "faults", in: session),
      case .array(let rules)? = fields["faults"]
    else { throw UserError(.unavailable, "the emulator's faults cannot be read") }
    let records = rules.compactMap { rule -> OutputObject? in
      guard case .object(let fields) = OutputValue(rule) else { return nil }
      return fields
    }
    try Listing(records: records, columns: ["id", "happened", "times"], whenEmpty: "there are no faults")
      .print(format.output, to: session)
    return .success
  }
}
