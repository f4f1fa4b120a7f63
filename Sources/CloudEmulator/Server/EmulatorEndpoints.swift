internal import Foundation

/// What the emulator has beside Google's services: `/emulator/…`.
enum EmulatorEndpoints {
  static func answer(_ request: APIRequest, _ emulation: inout Emulation, at now: Date) -> APIResponse {
    let parts = request.path.split(separator: "/").map { $0.removingPercentEncoding ?? String($0) }
    emulation.advance(to: now)
    do {
      switch (request.method, parts.count > 1 ? parts[1] : "") {
      case ("GET", ""): return .json(["emulator": "dagrun", "inventory": "/emulator/inventory"])
      case ("GET", "inventory"): return .json(try json(emulation.inventory))
      case ("GET", "faults"):
        let rows = try emulation.compute.faults.rows.map { row -> JSON in
          var json = try json(row.rule)
          json["happened"] = .integer(Int64(row.happened))
          return json
        }
        return .json(["faults": .array(rows)])
      case ("POST", "faults"):
        let ids = try FaultScript.rules(in: request.body).map { emulation.compute.faults.add($0) }
        return .json(["ids": .array(ids.map(JSON.string))])
      case ("DELETE", "faults"):
        let id = parts.count > 2 ? parts[2] : nil
        return emulation.compute.faults.remove(id) ? .json([:]) : refusal(404, "There is no fault '\(id ?? "")'.")
      case ("POST", "preempt"):
        let name = parts.count > 2 ? parts[2] : ""
        let grace = request.value(of: "grace").flatMap(Double.init)
        guard emulation.compute.preempt(instance: name, graceSeconds: grace, at: now) else {
          return refusal(404, "There is no RUNNING instance '\(name)'.")
        }
        return .json([:])
      case ("POST", "revoke-tokens"):
        emulation.tokens.revokeAll()
        return .json([:])
      case ("GET", "log-entries"): return .json(["entries": .array(emulation.logging.entries)])
      case ("GET", "service-account"): return .json(emulation.tokens.serviceAccountFile)
      case ("PUT", "secrets"):
        guard parts.count > 2 else { return refusal(400, "PUT /emulator/secrets/NAME, with the value as the body.") }
        emulation.secrets.values[parts[2]] = String(decoding: request.body, as: UTF8.self)
        return .json([:])
      case (let method, _):
        return refusal(404, "The emulator has no \(method) \(request.path); docs/emulator.md lists what it has.")
      }
    } catch let error as FaultScript.Failure {
      return refusal(400, error.description)
    } catch {
      return refusal(400, "\(error)")
    }
  }

  private static func refusal(_ status: Int, _ message: String) -> APIResponse {
    APIFailure(status, status == 404 ? "notFound" : "invalid", message).response
  }

  private static func json(_ value: some Encodable) throws -> JSON {
    let encoder = JSONEncoder()
    encoder.dateEncodingStrategy = .iso8601
    return try JSON(parsing: encoder.encode(value))
  }
}

extension ComputeModel {
  /// - Parameter name: an instance's name, or its path.
  mutating func preempt(instance name: String, graceSeconds: Double?, at now: Date) -> Bool {
    let found = instances.values.filter { ($0.name == name || $0.path == name) && $0.status == .running }
    guard let instance = found.min(by: { $0.path < $1.path }) else { return false }
    return preempt(instance.id, graceSeconds: graceSeconds, at: now)
  }
}
