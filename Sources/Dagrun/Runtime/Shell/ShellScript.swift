/// A script with holes for values, read once.
struct ShellScript {
  enum Piece {
    case text(String)
    /// A value; nil while it is not known.
    case hole(String?)
  }

  private let symbols: [ShellSymbol]
  private let documents: [ShellDocument]
  let holes: [ShellHole]

  init(_ pieces: [Piece], _ dialect: ShellDialect) {
    var symbols: [ShellSymbol] = []
    var known: [String?] = []
    for piece in pieces {
      switch piece {
      case .text(let text): symbols += text.unicodeScalars.lazy.map { ShellSymbol($0) }
      case .hole(let value):
        symbols.append(ShellSymbol(hole: known.count))
        known.append(value)
      }
    }
    self.symbols = symbols
    var reader = ShellReader(symbols, known: known, dialect: dialect)
    if !known.isEmpty { reader.read() }
    holes = reader.holes
    documents = reader.documents
  }

  /// The script with its values, each quoted for its place.
  ///
  /// - Parameter values: one for each hole.
  func rendered(_ values: [String], isShown: Bool = false) throws -> String {
    let quoted = try zip(holes, values).map { hole, value in try hole.quote(value, isShown: isShown) }
    for index in Set(holes.flatMap(\.documents)).sorted() {
      let document = documents[index]
      if document.isBroken(filled(document.body, quoted)) {
        throw RenderError(
          "a value would end the here-document \"\(document.delimiter.string)\"; pass it in environment:")
      }
    }
    return filled(0..<symbols.count, quoted).string
  }

  private func filled(_ range: Range<Int>, _ quoted: [String]) -> [ShellSymbol] {
    var result: [ShellSymbol] = []
    result.reserveCapacity(range.count)
    for symbol in symbols[range] {
      if let hole = symbol.hole {
        result += quoted[hole].unicodeScalars.lazy.map { ShellSymbol($0) }
      } else {
        result.append(symbol)
      }
    }
    return result
  }
}

extension Template {
  /// Why a script cannot take its values where they stand, as far as it is known before they are; each reason once.
  ///
  /// - Parameter dagID: and `taskID`, values that are known.
  func shellProblems(_ dialect: ShellDialect, dagID: String, taskID: String) -> [String] {
    var pieces: [ShellScript.Piece] = []
    var samples: [String?] = []
    for part in parts {
      switch part {
      case .text(let text), .raw(.value(let text)): pieces.append(.text(text))
      case .value(let value):
        pieces.append(.hole(value))
        samples.append(value)
      case .variable(let variable):
        pieces.append(.hole(nil))
        samples.append(variable.sample(dagID: dagID, taskID: taskID))
      case .output:
        pieces.append(.hole(nil))
        samples.append(nil)
      // Text that is not known yet: only the run can say how the script continues.
      case .raw: return []
      }
    }
    guard !samples.isEmpty else { return [] }
    var found: [String] = []
    for (hole, sample) in zip(ShellScript(pieces, dialect).holes, samples) {
      let reason: String?
      // What is not known may be a number.
      if let sample { reason = hole.problem(with: sample) } else { reason = hole.problem(with: "0") }
      if let reason, !found.contains(reason) { found.append(reason) }
    }
    return found
  }
}

extension TemplateVariable {
  /// A value of its form; nil when it can have any.
  fileprivate func sample(dagID: String, taskID: String) -> String? {
    switch self {
    case .ds: "2026-01-31"
    case .dsNodash: "20260131"
    case .tsNodash: "20260131T000000"
    case .ts, .logicalDate, .dataIntervalStart, .dataIntervalEnd: "2026-01-31T00:00:00+00:00"
    case .tryNumber: "1"
    case .dagID: dagID
    case .taskID: taskID
    case .prevDataIntervalStartSuccess, .prevDataIntervalEndSuccess, .runID, .param, .var: nil
    }
  }
}
