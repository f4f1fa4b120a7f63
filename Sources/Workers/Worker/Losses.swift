/// What of a try could not be kept, in words.
struct Losses: Sendable {
  private var all: [String] = []

  mutating func add(_ loss: String) { all.append(loss) }

  /// nil: nothing was lost.
  var text: String? { all.isEmpty ? nil : all.joined(separator: "; ") }
}
