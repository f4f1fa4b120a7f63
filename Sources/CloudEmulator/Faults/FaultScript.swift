package import Foundation
internal import Yams

/// Rules in a file or a request, as JSON or YAML: one rule, a list of rules, or `faults:` with a list.
package enum FaultScript {
  package struct Failure: Error, CustomStringConvertible {
    package var description: String
  }

  package static func rules(in data: Data) throws(Failure) -> [FaultRule] {
    do {
      // JSON is YAML too.
      let text = String(decoding: data, as: UTF8.self)
      let decoder = YAMLDecoder()
      guard let node = try Yams.compose(yaml: text) else { return [] }
      if node.sequence != nil { return try decoder.decode([FaultRule].self, from: node) }
      if node.mapping?["faults"] != nil { return try decoder.decode(Whole.self, from: node).faults }
      return [try decoder.decode(FaultRule.self, from: node)]
    } catch let DecodingError.dataCorrupted(context) {
      throw Failure(description: place(context) + context.debugDescription)
    } catch let DecodingError.typeMismatch(_, context) {
      throw Failure(description: place(context) + context.debugDescription)
    } catch let DecodingError.keyNotFound(key, context) {
      throw Failure(description: place(context) + "'\(key.stringValue)' is missing")
    } catch {
      throw Failure(description: "the faults cannot be read: \(error)")
    }
  }

  private struct Whole: Decodable { var faults: [FaultRule] }

  private static func place(_ context: DecodingError.Context) -> String {
    let path = context.codingPath.map { $0.intValue.map { "fault \($0 + 1)" } ?? $0.stringValue }
    return path.isEmpty ? "" : path.joined(separator: ", ") + ": "
  }
}
