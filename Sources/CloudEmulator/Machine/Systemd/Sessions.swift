internal import Foundation
internal import Processes

/// Signals every process of a session, wherever in the tree it is now.
func killSession(_ session: pid_t, _ number: Int32) {
  for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
    if let pid = pid_t(name), getsid(pid) == session { kill(pid, number) }
  }
}

/// `NAME=value` lines, with quotes of both kinds.
func environmentFile(_ text: String) -> [String: String] {
  var environment: [String: String] = [:]
  for line in text.split(whereSeparator: \.isNewline) {
    let line = line.trimmingCharacters(in: .whitespaces)
    guard !line.hasPrefix("#"), !line.hasPrefix(";"), let equals = line.firstIndex(of: "=") else { continue }
    let value = String(line[line.index(after: equals)...])
    let isQuoted = value.count >= 2 && value.first == value.last && (value.first == "\"" || value.first == "'")
    environment[String(line[..<equals])] = isQuoted ? String(value.dropFirst().dropLast()) : value
  }
  return environment
}
