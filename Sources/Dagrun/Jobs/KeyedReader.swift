/// Reads an object whose keys a person may have written: a key that nobody knows is refused with the nearest known one,
/// and a value of another type with its place and what is expected there.
package struct KeyedReader<Key: CodingKey & CaseIterable> {
  private let container: KeyedDecodingContainer<AnyKey>
  private let path: [any CodingKey]

  package init(_ decoder: any Decoder, keys: Key.Type = Key.self) throws {
    path = decoder.codingPath
    do {
      container = try decoder.container(keyedBy: AnyKey.self)
    } catch {
      throw Self.problem(
        at: path, "expected an object with keys such as \(Self.known.prefix(3).joined(separator: ", "))")
    }
    for key in container.allKeys.map(\.stringValue).sorted() where !Self.known.contains(key) {
      let hint = Identifier.closest(to: key, in: Self.known).map { "did you mean \"\($0)\"?" }
      throw Self.problem(
        at: path, "the key \"\(key)\" is unknown; \(hint ?? "known are: \(Self.known.joined(separator: ", "))")")
    }
  }

  private static var known: [String] { Key.allCases.map(\.stringValue) }

  package func has(_ key: Key) -> Bool { container.contains(AnyKey(key)) }

  /// nil when the key is not there, or null.
  package func read<Value: Decodable>(_ key: Key, as type: Value.Type = Value.self, _ expected: String) throws -> Value?
  {
    let key = AnyKey(key)
    guard container.contains(key), try !container.decodeNil(forKey: key) else { return nil }
    do {
      return try container.decode(type, forKey: key)
    } catch let error as DecodingError {
      if error.isInOwnWords { throw error }
      // Of a list or a map, the place of the element that is wrong.
      throw Self.problem(at: error.path ?? path + [key], "expected \(expected)")
    }
  }

  package func require<Value: Decodable>(_ key: Key, as type: Value.Type = Value.self, _ expected: String) throws
    -> Value
  {
    guard let value = try read(key, as: type, expected) else {
      throw Self.problem(at: path, "\"\(key.stringValue)\" is missing: \(expected)")
    }
    return value
  }

  package func problem(_ key: Key, _ message: String) -> DecodingError {
    Self.problem(at: path + [AnyKey(key)], message)
  }

  private static func problem(at path: [any CodingKey], _ message: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: path, debugDescription: message, underlyingError: OwnWords()))
  }
}

/// Marks an error whose description is for a person already.
private struct OwnWords: Error {}

private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
  init(_ key: some CodingKey) { stringValue = key.stringValue }
}

extension DecodingError {
  fileprivate var context: Context? {
    switch self {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
      .dataCorrupted(let context):
      context
    @unknown default: nil
    }
  }

  fileprivate var path: [any CodingKey]? { context?.codingPath }
  fileprivate var isInOwnWords: Bool { context?.underlyingError is OwnWords }

  /// What is wrong with a text that a person wrote, and where: `job.zones[1]: expected a list of zones`.
  package var inWords: String {
    guard let context else { return "\(self)" }
    var place = ""
    for key in context.codingPath {
      if let index = key.intValue {
        place += "[\(index)]"
      } else {
        place += (place.isEmpty ? "" : ".") + key.stringValue
      }
    }
    let reason: String
    if case .dataCorrupted = self, !isInOwnWords, let cause = context.underlyingError {
      reason = "\(context.debugDescription) \(cause)"
    } else {
      reason = context.debugDescription
    }
    return place.isEmpty ? reason : "\(place): \(reason)"
  }
}
