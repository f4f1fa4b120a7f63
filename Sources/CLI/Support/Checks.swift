import ArgumentParser
import Dagrun
import Foundation
import Presentation

enum RegularExpression {
  static func check(_ pattern: String?, of option: String) throws {
    guard let pattern else { return }
    guard BoundedRegex(pattern) == nil else { return }
    throw ValidationError("\(option) '\(pattern)' is not a regular expression")
  }
}

/// The value of `--conf`.
enum ConfText {
  /// The same object with sorted keys and no blanks: equal confs are equal texts.
  static func check(_ text: String?) throws -> String {
    guard let text else { return "{}" }
    let value: JSONValue
    do {
      value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    } catch {
      throw UserError(
        .wrongUsage, "--conf is not JSON: \(reason(text))", hint: #"write an object: --conf '{"name": "value"}'"#)
    }
    guard case .object = value else {
      throw UserError(
        .wrongUsage, "--conf is not a JSON object: \(text)", hint: #"write an object: --conf '{"name": "value"}'"#)
    }
    return JSONText.compact(OutputValue(value))
  }

  /// Where it goes wrong. The decoder does not say; Foundation's other parser does.
  private static func reason(_ text: String) -> String {
    do {
      _ = try JSONSerialization.jsonObject(with: Data(text.utf8), options: [.fragmentsAllowed])
      return text
    } catch {
      let words = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String ?? error.localizedDescription
      return words.hasSuffix(".") ? String(words.dropLast()) : words
    }
  }
}

enum ShellWord {
  /// As one word for a shell; unchanged where it needs no quotes.
  static func quote(_ text: String) -> String {
    let plain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.,:/@%+=".contains($0)) }
    return plain && !text.isEmpty
      ? text : ShellQuoting.quoted(text)
  }
}
