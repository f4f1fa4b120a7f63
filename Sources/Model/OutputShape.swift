/// What the scheduler knows of an output, whose value it never sees.
package enum OutputShape: Hashable, Sendable {
  /// No list.
  case value
  case list(count: Int)

  /// As it is stored: -1, or the count.
  package var code: Int64 {
    switch self {
    case .value: -1
    case .list(let count): Int64(count)
    }
  }

  package init(code: Int64) { self = code < 0 ? .value : .list(count: Int(clamping: code)) }
}
