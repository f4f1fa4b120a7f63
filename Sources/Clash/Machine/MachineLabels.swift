internal import Dagrun
internal import Foundation
internal import Model

/// What every resource of a job carries, so that `dagrun job gc` finds it whatever has become of the journal.
package enum MachineLabels {
  package static let marker = "dagrun"

  /// Seconds since 1970, of what has no date of its own.
  static let madeAt = "dagrun-made-at"

  /// dagrun's own labels win over the user's.
  package static func all(of request: JobRequest, attempt: Int) -> [String: String] {
    var labels = request.spec.config.labels
    labels[marker] = "job"
    labels["dagrun-job"] = request.name
    labels["dagrun-home"] = slug(request.origin.homeID)
    labels["dagrun-attempt"] = String(attempt)
    if let task = request.origin.task {
      labels["dagrun-dag"] = slug(task.dagID)
      labels["dagrun-task"] = slug(task.key.taskID)
    }
    return labels
  }

  /// Any text as a label's value: lower-case letters, digits, `_` and `-`, at most 63.
  package static func slug(_ text: String) -> String {
    let characters = text.lowercased().unicodeScalars.map { scalar -> Character in
      isPlain(scalar) ? Character(scalar) : "-"
    }
    return String(characters.prefix(63))
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "0"..."9", "_", "-": true
    default: false
    }
  }

  /// Google's rules for labels: https://cloud.google.com/compute/docs/labeling-resources
  package static func check(_ labels: [String: String]) throws(JobMachineError) {
    let hint =
      "keys begin with a lower-case letter; keys and values have lower-case letters, digits, _ and -, at most 63"
    for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
      let isKey =
        key.unicodeScalars.first.map { isLetter($0) } ?? false
        && key.unicodeScalars.count <= 63 && key.unicodeScalars.allSatisfy(isAllowed)
      guard isKey else { throw JobMachineError("Google refuses the label key \(quoted(key))", hint: hint) }
      guard value.unicodeScalars.count <= 63, value.unicodeScalars.allSatisfy(isAllowed) else {
        throw JobMachineError("Google refuses the value \(quoted(value)) of the label \(key)", hint: hint)
      }
      guard key != marker, !key.hasPrefix("dagrun-") else {
        throw JobMachineError("the label \(key) is dagrun's own", hint: "choose another key")
      }
    }
    guard labels.count <= 58 else {
      throw JobMachineError("the job has \(labels.count) labels, and Google takes 64, of which six are dagrun's")
    }
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .lowercaseLetter, .otherLetter: true
    default: false
    }
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    isLetter(scalar) || scalar == "_" || scalar == "-" || scalar.properties.generalCategory == .decimalNumber
  }

  private static func quoted(_ text: String) -> String { "“\(text.prefix(80))”" }
}
