internal import Foundation

/// A service of systemd, as far as the unit of a job needs one. What it does not know is a note, never an error.
struct UnitFile: Equatable {
  var name: String
  var wants: [String] = []
  /// The words of `ExecStart=`.
  var command: [String] = []
  var stopTimeoutSeconds = 90.0
  var notes: [String] = []

  init(name: String, text: String) {
    self.name = name
    var section = ""
    for line in text.split(whereSeparator: \.isNewline) {
      let line = line.trimmingCharacters(in: .whitespaces)
      if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
      if line.hasPrefix("["), line.hasSuffix("]") {
        section = String(line.dropFirst().dropLast())
      } else if let equals = line.firstIndex(of: "=") {
        let value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
        set(section, line[..<equals].trimmingCharacters(in: .whitespaces), value)
      } else {
        notes.append("not a directive: \(line)")
      }
    }
  }

  private mutating func set(_ section: String, _ key: String, _ value: String) {
    let words = value.split(separator: " ").map(String.init)
    switch (section, key) {
    case ("Unit", "Wants"): wants += words
    case ("Service", "ExecStart"):
      command = words
      // Systemd would read them as more than they are here.
      if value.contains(where: { "\"'\\$%".contains($0) }) {
        notes.append("quotes, variables and specifiers in \(key) are not emulated, and are taken as they stand")
      }
    case ("Service", "TimeoutStopSec"):
      guard let seconds = Double(value) else { return ignore(key, value) }
      stopTimeoutSeconds = seconds
    case ("Service", "Type") where value == "simple", ("Service", "KillMode") where value == "mixed",
      ("Service", "Restart") where value == "no", ("Service", "StandardOutput") where value == "journal+console",
      ("Service", "StandardError") where value == "journal+console":
      break
    case ("Unit", "Description"), ("Install", "WantedBy"): break
    // What is there before every unit; docker ends after them all.
    case ("Unit", "After"): break
    // Whoever asks for one does without where its variable is not set.
    case ("Service", "RuntimeDirectory"), ("Service", "RuntimeDirectoryMode"): break
    case ("Service", "OOMScoreAdjust"), ("Service", "OOMPolicy"): break
    default: ignore(key, value)
    }
  }

  private mutating func ignore(_ key: String, _ value: String) {
    notes.append("\(key)=\(value) is not emulated, and was ignored")
  }
}
