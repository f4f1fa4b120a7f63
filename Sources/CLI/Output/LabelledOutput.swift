import Presentation
import Synchronization

/// Another output to the same place, each line of which begins with a label. Lines of several that print at once stay
/// whole: what has no line's end yet waits for it.
final class LabelledOutput: Sendable {
  private let place: Output
  private let label: String
  private let pending = Mutex("")

  init(_ place: Output, label: String) {
    self.place = place
    self.label = label
  }

  var output: Output {
    var output = Output(
      isTerminal: place.isTerminal, columns: place.columns, isColoured: place.style.isColoured
    ) { [self] in write($0) }
    output.sendsRawLogs = place.sendsRawLogs
    return output
  }

  /// Nothing more comes, so that a line without an end is one too.
  func finish() {
    if pending.withLock({ !$0.isEmpty }) { write("\n") }
  }

  private func write(_ text: String) {
    let lines: [Substring] = pending.withLock { pending in
      pending += text
      guard let end = pending.lastIndex(where: \.isNewline) else { return [] }
      let lines = pending[..<end].split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      pending = String(pending[pending.index(after: end)...])
      return lines
    }
    if !lines.isEmpty { place.raw(lines.map { label + $0 + "\n" }.joined()) }
  }
}
