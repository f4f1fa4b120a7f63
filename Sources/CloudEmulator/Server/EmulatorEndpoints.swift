internal import Foundation

/// What the emulator has beside Google's services: `/emulator/…`.
enum EmulatorMethod: String, Sendable, CaseIterable {
  case root = "emulator.root"
  case inventory = "emulator.inventory"
  case billing = "emulator.billing"
  case faultsList = "emulator.faults.list"
  case faultsAdd = "emulator.faults.add"
  case faultsRemove = "emulator.faults.remove"
  case preempt = "emulator.preempt"
  case tokensRevoke = "emulator.tokens.revoke"
  case logEntries = "emulator.logEntries"
  case serviceAccount = "emulator.serviceAccount"
  case secretsSet = "emulator.secrets.set"

  static let routes = RouteTable<EmulatorMethod>(
    """
    emulator.root GET emulator
    emulator.inventory GET emulator/inventory
    emulator.billing GET emulator/billing
    emulator.faults.list GET emulator/faults
    emulator.faults.add POST emulator/faults
    emulator.faults.remove DELETE emulator/faults
    emulator.faults.remove DELETE emulator/faults/{fault}
    emulator.preempt POST emulator/preempt/{instance} grace
    emulator.tokens.revoke POST emulator/revoke-tokens
    emulator.logEntries GET emulator/log-entries
    emulator.serviceAccount GET emulator/service-account
    emulator.secrets.set PUT emulator/secrets/{secret}
    """)
}

enum EmulatorEndpoints {
  static func answer(_ request: APIRequest, _ emulation: inout EmulatedCloud, at now: Date) -> APIResponse {
    emulation.advance(to: now)
    do throws(APIFailure) {
      let path = request.path == "/" ? Substring("emulator") : request.path.dropFirst()
      guard let call = try EmulatorMethod.routes.find(request, path: path, id: RequestID(value: 0)) else {
        throw .noSuchEndpoint(
          "The emulator has no \(request.method) \(request.path); docs/emulator.md lists what it has.")
      }
      return .json(try perform(call, &emulation, at: now))
    } catch {
      return error.response
    }
  }

  private static func perform(
    _ call: Call<EmulatorMethod>, _ emulation: inout EmulatedCloud, at now: Date
  ) throws(APIFailure) -> JSON {
    switch call.method {
    case .root: return ["emulator": "dagrun", "inventory": "/emulator/inventory"]
    case .inventory: return try json(emulation.inventory)
    case .billing: return ["machines": .array(emulation.compute.bills.rows.map { json(of: $0, at: now) })]
    case .faultsList:
      var rows: [JSON] = []
      for row in emulation.compute.faults.rows {
        var json = try json(row.rule)
        json["happened"] = .integer(Int64(row.happened))
        rows.append(json)
      }
      return ["faults": .array(rows)]
    case .faultsAdd:
      guard call.request.isJSON || call.request.isYAML else {
        throw APIFailure(
          415, "unsupportedMediaType", "Say what the rules are: 'Content-Type: application/json', or application/yaml.")
      }
      let rules: [FaultRule]
      do {
        rules = try FaultScript.rules(in: call.request.body)
      } catch {
        throw APIFailure(400, "invalid", error.description)
      }
      return ["ids": .array(rules.map { .string(emulation.compute.faults.add($0)) })]
    case .faultsRemove:
      let id = call.names["fault"]
      guard emulation.compute.faults.remove(id) else { throw .noSuchEndpoint("There is no fault '\(id ?? "")'.") }
    case .preempt:
      let name = call["instance"]
      let grace = call.query("grace").flatMap(Double.init).map { clamp($0, to: 0...86400) }
      guard emulation.compute.preempt(instance: name, graceSeconds: grace, at: now) else {
        throw .noSuchEndpoint("There is no RUNNING instance '\(name)'.")
      }
    case .tokensRevoke: emulation.tokens.revokeAll()
    case .logEntries: return ["entries": .array(emulation.logging.entries)]
    case .serviceAccount: return emulation.tokens.serviceAccountFile
    case .secretsSet:
      emulation.secrets.values[call["secret"]] = String(decoding: call.request.body, as: UTF8.self)
    }
    return [:]
  }

  private static func json(of row: BillingRow, at now: Date) -> JSON {
    [
      "instance": .string(row.instance), "id": .string(row.id), "machineType": .string(row.machineType),
      "isSpot": .bool(row.isSpot), "beganAt": .string(row.beganAt.computeText),
      "endedAt": row.endedAt.map { .string($0.computeText) } ?? .null,
      "chargedSeconds": .number(row.chargedSeconds(now: now)),
    ]
  }

  private static func json(_ value: some Encodable) throws(APIFailure) -> JSON {
    let encoder = JSONEncoder()
    encoder.dateEncodingStrategy = .iso8601
    do {
      return try JSON(parsing: encoder.encode(value))
    } catch {
      throw APIFailure(500, "internalError", "\(error)")
    }
  }
}

extension APIFailure {
  fileprivate static func noSuchEndpoint(_ message: String) -> APIFailure { APIFailure(404, "notFound", message) }
}

extension ComputeModel {
  /// - Parameter name: an instance's name, or its path.
  mutating func preempt(instance name: String, graceSeconds: Double?, at now: Date) -> Bool {
    let found = instances.values.filter { ($0.name == name || $0.path == name) && $0.status == .running }
    guard let instance = found.min(by: { $0.path < $1.path }) else { return false }
    return preempt(instance.id, graceSeconds: graceSeconds, at: now)
  }
}
