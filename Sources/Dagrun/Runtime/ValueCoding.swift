import Foundation

/// The values that tasks hand on, as JSON. Dates are ISO 8601 text, so that a shell task can read them too.
enum ValueCoding {
  static func encode<Value: Encodable>(_ value: Value) throws -> Data {
    // The usual ones without an encoder, which costs more than most tasks that return them.
    switch value {
    case let value as Int: return Data(String(value).utf8)
    case let value as Bool: return Data((value ? "true" : "false").utf8)
    case let value as String:
      var text = ""
      JSONValue.quote(value, to: &text)
      return Data(text.utf8)
    default: break
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      try container.encode(Timestamp(date).iso8601)
    }
    do {
      return try encoder.encode(value)
    } catch EncodingError.invalidValue(let refused, let context) {
      throw OutputUnwritable(refused, at: context)
    }
  }

  static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
    // Two steps: nothing at all, cast to an optional type, would count as its nil.
    if let found = plain(data), let value = found as? Value { return value }
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .custom { decoder in
      let text = try decoder.singleValueContainer().decode(String.self)
      guard let timestamp = Timestamp(iso8601: text) else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not an ISO 8601 date"))
      }
      return timestamp.date
    }
    do {
      return try decoder.decode(type, from: data)
    } catch let mismatch {
      // A shell task's output is text; `output(as:)` reads the text as JSON.
      guard let text = try? decoder.decode(String.self, from: data),
        let value = try? decoder.decode(type, from: Data(text.utf8))
      else { throw mismatch }
      return value
    }
  }
}

extension ValueCoding {
  /// A whole number, or a text without escapes; nil for everything else, which a decoder reads.
  private static func plain(_ data: Data) -> Any? {
    let quote = UInt8(ascii: "\"")
    guard data.first == quote else { return Int(String(decoding: data, as: UTF8.self)) }
    guard data.count >= 2, data.last == quote else { return nil }
    let content = data.dropFirst().dropLast()
    return content.contains { $0 == UInt8(ascii: "\\") || $0 == quote }
      ? nil : String(validating: content, as: UTF8.self)
  }
}

/// Gives a Swift task's inputs out one by one, each as the type that the closure wants.
struct InputReader {
  private let data: [Data]
  private let taskIDs: [String]
  private let missing: [String: String]
  private var index = 0

  /// - Parameter missing: the states of those tasks that have no output, by their ids.
  init(_ data: [Data], from taskIDs: [String], missing: [String: String] = [:]) {
    self.data = data
    self.taskIDs = taskIDs
    self.missing = missing
  }

  mutating func next<Value: Decodable>(_ type: Value.Type) throws -> Value {
    defer { index += 1 }
    guard index < data.count else {
      throw InputMismatch("it was given \(data.count) inputs, and wants more")
    }
    do {
      return try ValueCoding.decode(type, from: data[index])
    } catch {
      if index < taskIDs.count, let state = missing[taskIDs[index]] {
        throw InputMismatch(
          missingOutput(of: taskIDs[index], state: state) + "; a closure that can do without takes its output.optional")
      }
      let source = index < taskIDs.count ? "task \"\(taskIDs[index])\"" : "another task"
      throw InputMismatch(
        "the output of \(source) is not of type \(type): \(String(decoding: data[index].prefix(200), as: UTF8.self))")
    }
  }
}

/// A value that a task returned, and that JSON cannot hold.
package struct OutputUnwritable: Error, CustomStringConvertible, Hashable {
  package let description: String

  init(_ value: Any, at context: EncodingError.Context) {
    var place = ""
    for key in context.codingPath { place += key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }
    let subject = place.isEmpty ? "its output" : "its output has a value that"
    let reason =
      if let number = value as? any BinaryFloatingPoint {
        "is \(number), which JSON cannot hold: return a finite number, or an optional that is nil"
      } else {
        "cannot be written as JSON: \(context.debugDescription)"
      }
    description = "\(subject) \(reason)\(place.isEmpty ? "" : " (at \(place.drop { $0 == "." }))")"
  }
}

/// An input is not of the type that a task wants.
package struct InputMismatch: Error, CustomStringConvertible, Hashable {
  package let description: String

  init(_ description: String) { self.description = description }
}

/// Why a task has no output, in the same words wherever it is read.
///
/// - Parameter state: the raw value of the state that it is in; nil where that is not known.
package func missingOutput(of taskID: String, state: String?) -> String {
  guard let state else { return "task \"\(taskID)\" has no output" }
  let reason =
    switch state {
    case "success": "it succeeded, and returned nothing"
    case "skipped": "it was skipped"
    case "failed": "it failed"
    case "upstream_failed": "a task before it failed"
    case "removed": "the run moved to a version without it"
    case "none", "scheduled", "queued": "it has not begun"
    default: "it has not ended (\(state))"
    }
  return "task \"\(taskID)\" has no output: \(reason)"
}
