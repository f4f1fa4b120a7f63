import Synchronization

/// Whether a log has begun a line and not ended it: what dagrun says next is on a line of its own.
final class OpenLine: Sendable {
  private let isOpen = Atomic(false)

  func note(_ log: String) {
    if let last = log.unicodeScalars.last { isOpen.store(last != "\n", ordering: .relaxed) }
  }

  /// What ends the line: nothing where none is open. Once.
  var end: String { isOpen.exchange(false, ordering: .relaxed) ? "\n" : "" }
}
