import Dagrun
import Foundation
import Logging
import Presentation

/// The engine's messages, a line each: when, how bad, the sentence, and its details.
///
///     2026-01-31T03:00:00+00:00 warning: a DAG file cannot be used  reason="…"
struct ConsoleLog: LogHandler {
  let output: Output
  var logLevel: Logger.Level = .info
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let level =
      switch event.level {
      case .critical, .error: output.style.red("\(event.level): ")
      case .warning: output.style.yellow("\(event.level): ")
      case .notice, .info: ""
      case .debug, .trace: output.style.dim("\(event.level): ")
      }
    let details = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
      .map { "  \($0.key)=\(Self.quoted("\($0.value)"))" }
    let seconds = Timestamp(microseconds: Timestamp(Date()).microseconds / 1_000_000 * 1_000_000)
    output.line("\(seconds.iso8601) \(level)\(event.message)\(output.style.dim(details.joined()))")
  }

  /// One word as it is, anything else in quotes.
  private static func quoted(_ text: String) -> String {
    text.contains(where: { $0.isWhitespace || $0 == "\"" }) ? JSONText.compact(.text(text)) : text
  }
}
