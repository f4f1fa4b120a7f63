/// Finds what a mistyped name was meant to be.
enum Spelling {
  /// The closest of `names`, when it is close enough to be worth a question. Of equally close ones, the first by name.
  static func suggestion(for name: String, among names: some Sequence<String>) -> String? {
    let typed = Array(name.lowercased())
    // One slip in a short word, a few in a long one.
    let tolerance = max(1, typed.count / 3)
    let close = names.map { (distance: distance(typed, Array($0.lowercased())), name: $0) }
      .filter { $0.distance <= tolerance }
    return close.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
  }

  /// `; did you mean 'nightly'?`, or nothing.
  static func question(for name: String, among names: some Sequence<String>) -> String {
    suggestion(for: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
  }

  /// Edits from one text to the other: insert, delete, replace, or swap two neighbours
  /// (optimal string alignment, a restricted Damerau-Levenshtein distance).
  static func distance(_ left: [Character], _ right: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in 0..<left.count {
      var current = [row + 1]
      for column in 0..<right.count {
        let isSame = left[row] == right[column]
        var cost = min(last[column] + (isSame ? 0 : 1), last[column + 1] + 1, current[column] + 1)
        let isSwap =
          row > 0 && column > 0 && left[row] == right[column - 1] && left[row - 1] == right[column]
        if isSwap { cost = min(cost, beforeLast[column - 1] + 1) }
        current.append(cost)
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}
