internal import Dagrun

/// Why a VM cannot report, in its runner's words: the line `dagrun: cannot report [STATUS] [ACCOUNT]: WORDS` of its
/// serial console. The runner tells what it met; what that means is decided here (`verdict`).
package struct ReportFault: Hashable, Sendable {
  package let cause: Cause
  /// The VM's service account; nil where the VM does not know it.
  package let account: String?
  package let words: String

  package enum Cause: Hashable, Sendable {
    /// Pub/Sub's answer, no success.
    case status(Int)
    case noAnswer
    /// The metadata server gave no access token.
    case noToken
    /// The VM's own disk, or what lies on it.
    case disk
  }

  /// nil for any other line.
  package init?(line: some StringProtocol) {
    guard let mark = line.firstRange(of: SerialConsole.faultMark) else { return nil }
    let parts = line[mark.upperBound...].split(separator: "]", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    switch parts[0] {
    case "token": cause = .noToken
    case "disk": cause = .disk
    case "000": cause = .noAnswer
    case let text:
      guard let status = Int(text), (100...599).contains(status) else { return nil }
      cause = .status(status)
    }
    let name = parts[1].drop { $0 == " " || $0 == "[" }
    account = Self.isAddress(name) ? String(name) : nil
    words = SerialConsole.plain(parts[2].drop { $0 == ":" || $0 == " " })
  }

  /// It goes into a command for a person to run.
  private static func isAddress(_ text: some StringProtocol) -> Bool {
    text.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@".utf8.contains($0) }
      && text.split(separator: "@", omittingEmptySubsequences: false).count == 2 && text.utf8.count <= 254
  }
}
