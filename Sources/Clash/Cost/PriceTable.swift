internal import Dagrun
internal import Yams

/// What machines cost, as the user says it in a file: dagrun knows no prices by itself, for they change.
///
///     currency: EUR
///     machines:                    # per hour; by machine type, then by region; "*" is every other one
///       n1-standard-4:
///         europe-west1: { standard: 0.20, spot: 0.05 }
///         "*": { standard: 0.25, spot: 0.06 }
///     accelerators:                # per hour and card
///       nvidia-tesla-t4:
///         "*": { standard: 0.40, spot: 0.10 }
///     disks:                       # per GB and month
///       pd-standard: { "*": 0.05 }
///     external_address: { standard: 0.005, spot: 0.0025 }
///
/// Disks and addresses count only where the table has the section.
package struct PriceTable: Hashable, Sendable {
  package var currency: String
  /// Machine type -> region or `*` -> price for an hour.
  package var machines: [String: [String: HourlyPrice]]
  package var accelerators: [String: [String: HourlyPrice]]
  /// Disk type -> region or `*` -> price of a GB for a month; nil: disks are not counted.
  package var disks: [String: [String: Double]]?
  /// nil: not counted.
  package var externalAddress: HourlyPrice?

  package init(
    currency: String, machines: [String: [String: HourlyPrice]], accelerators: [String: [String: HourlyPrice]] = [:],
    disks: [String: [String: Double]]? = nil, externalAddress: HourlyPrice? = nil
  ) {
    self.currency = currency
    self.machines = machines
    self.accelerators = accelerators
    self.disks = disks
    self.externalAddress = externalAddress
  }

  /// - Parameter source: where the text is from, for the error.
  package init(yaml: String, source: String) throws(PriceTableError) {
    do {
      self = try YAMLDecoder().decode(PriceTable.self, from: yaml)
    } catch {
      throw PriceTableError(source: source, problem: Self.words(for: error))
    }
  }

  package struct HourlyPrice: Hashable, Sendable {
    package var standard: Double
    /// nil: the table has no Spot price for it.
    package var spot: Double?

    package init(standard: Double, spot: Double?) {
      self.standard = standard
      self.spot = spot
    }
  }
}

/// The table cannot be read: which file, where in it, and what is wrong.
package struct PriceTableError: Error, Hashable, Sendable, CustomStringConvertible {
  package var source: String
  package var problem: String

  package var description: String {
    "cannot read the price table \(source): \(problem)\ndocs/prices.yaml is an example of one."
  }
}

extension PriceTable: Decodable {
  package init(from decoder: any Decoder) throws {
    let table = try StrictContainer(
      decoder, keys: ["currency", "machines", "accelerators", "disks", "external_address"])
    currency = try table.value("currency")
    machines = try table.value("machines")
    accelerators = try table.optionalValue("accelerators") ?? [:]
    disks = try table.optionalValue("disks")
    externalAddress = try table.optionalValue("external_address")
    for (type, prices) in disks ?? [:] {
      for (region, price) in prices {
        guard let problem = NumberBound.price.at("disks.\(type).\(region)").problem(price) else { continue }
        throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: problem))
      }
    }
  }

  private static func words(for error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    func at(_ path: [any CodingKey], _ last: String? = nil) -> String {
      let names = path.map(\.stringValue) + (last.map { [$0] } ?? [])
      return names.isEmpty ? "" : "\(names.joined(separator: ".")): "
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(at(context.codingPath, key.stringValue))is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      let cause = context.underlyingError.map { " (\($0))" } ?? ""
      return at(context.codingPath) + context.debugDescription + cause
    @unknown default: return "\(error)"
    }
  }
}

extension PriceTable.HourlyPrice: Decodable {
  package init(from decoder: any Decoder) throws {
    let price = try StrictContainer(decoder, keys: ["standard", "spot"])
    standard = try price.value("standard")
    spot = try price.optionalValue("spot")
    for (name, amount) in [("standard", standard), ("spot", spot ?? 0)] {
      guard let problem = NumberBound.price.at(name).problem(amount) else { continue }
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: problem))
    }
  }
}

/// A mapping that has no other keys than these: a misspelt one would cost nothing, silently.
private struct StrictContainer {
  private let container: KeyedDecodingContainer<AnyKey>

  init(_ decoder: any Decoder, keys: [String]) throws {
    container = try decoder.container(keyedBy: AnyKey.self)
    for key in container.allKeys where !keys.contains(key.stringValue) {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "there is no \"\(key.stringValue)\"; known are \(keys.joined(separator: ", "))"))
    }
  }

  func value<Value: Decodable>(_ key: String) throws -> Value {
    try container.decode(Value.self, forKey: AnyKey(stringValue: key))
  }

  func optionalValue<Value: Decodable>(_ key: String) throws -> Value? {
    try container.decodeIfPresent(Value.self, forKey: AnyKey(stringValue: key))
  }

  private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
