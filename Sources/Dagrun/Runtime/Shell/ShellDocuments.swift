/// A here-document: `<<WORD`, and the lines to WORD.
struct ShellDocument {
  var delimiter: [ShellSymbol]
  /// Its delimiter was quoted, so nothing in it is expanded.
  var isLiteral: Bool
  var stripsTabs: Bool
  /// It stands in `(…)`, `$(…)` or another here-document.
  var isInside = false
  var body = 0..<0
  /// What the command that reads it allows.
  var limit = ShellHole.Limit.anything
}

extension ShellReader {
  /// `<<` and `<<-` were read.
  mutating func readDelimiter(stripsTabs: Bool) throws -> Int {
    skipBlanks()
    var delimiter: [ShellSymbol] = []
    var isLiteral = false
    var quote: ShellSymbol?
    while let symbol = peek, quote != nil || !symbol.isMeta {
      position += 1
      if let hole = symbol.hole {
        let reason = "the delimiter of a here-document cannot be a value; write it out"
        refuse(hole, reason)
        throw Lost(reason)
      }
      if symbol == quote {
        quote = nil
      } else if quote == nil, symbol == "'" || symbol == "\"" {
        isLiteral = true
        quote = symbol
      } else if quote == nil, symbol == "\\", let next = peek, next.isName {
        isLiteral = true
        delimiter.append(next)
        position += 1
      } else if symbol.isName || ["-", ".", "/", "+", ":", "%", "@", ",", "="].contains(symbol)
        || quote != nil && symbol == " "
      {
        delimiter.append(symbol)
      } else {
        throw Lost("a value comes after a here-document whose delimiter cannot be read; use letters only")
      }
    }
    guard quote == nil, !delimiter.isEmpty else {
      throw Lost("a value comes after a here-document without a delimiter")
    }
    documents.append(ShellDocument(delimiter: delimiter, isLiteral: isLiteral, stripsTabs: stripsTabs))
    pending.append(documents.count - 1)
    return documents.count - 1
  }

  /// From the `\n`: the bodies of the documents that were announced in the line come next.
  mutating func readLineEnd() throws {
    position += 1
    let announced = pending
    pending = []
    for index in announced { try readDocument(index) }
  }

  private mutating func readDocument(_ index: Int) throws {
    let document = documents[index]
    let start = position
    let bodyEnd = try findEnd(of: document)
    let next = position
    documents[index].body = start..<bodyEnd
    documents[index].isInside = parentheses > 0 || !openDocuments.isEmpty
    openDocuments.append(index)
    let outer = (end, arithmetic)
    (position, end, arithmetic) = (start, bodyEnd, nil)
    if document.isLiteral { readLiteral(document) } else { try readExpanding(document) }
    openDocuments.removeLast()
    (end, arithmetic) = outer
    position = next
  }

  /// Goes behind the line that ends the document; the shells look for it before they read anything in the lines.
  ///
  /// - Returns: where the body ends.
  private mutating func findEnd(of document: ShellDocument) throws -> Int {
    while position < end {
      let lineEnd = symbols[position..<end].firstIndex(of: "\n") ?? end
      let line = symbols[position..<lineEnd]
      if document.isEnd(line) {
        let bodyEnd = position
        position = min(lineEnd + 1, end)
        return bodyEnd
      }
      if document.mayBeEnd(line) {
        throw Lost("a value comes after a here-document with a line that begins with its delimiter")
      }
      if !document.isLiteral, line.reversed().prefix(while: { $0 == "\\" }).count % 2 == 1, lineEnd < end {
        let following = symbols[(lineEnd + 1)..<end].prefix { $0 != "\n" }
        if document.isEnd(following) || document.isEnd((line.dropLast() + following)[...]) {
          throw Lost("a value comes after a here-document with a backslash in the line before its end")
        }
      }
      position = min(lineEnd + 1, end)
    }
    throw Lost("a value comes after a here-document that never ends; its delimiter must stand in a line of its own")
  }

  private mutating func readLiteral(_ document: ShellDocument) {
    while let symbol = peek {
      position += 1
      if let hole = symbol.hole {
        note(hole, .document(isLiteral: true))
        allow(hole, document.limit)
      }
    }
  }

  private mutating func readExpanding(_ document: ShellDocument) throws {
    var word = ShellWord()
    while let symbol = peek {
      switch symbol {
      case "\\": readQuotedBackslash(&word)
      case "$": try readDollar(&word, .document)
      case "`": try readBackticks(&word)
      default:
        position += 1
        if let hole = symbol.hole {
          note(hole, .document(isLiteral: false))
          word.append(hole: hole)
        }
      }
    }
    for hole in word.holes { allow(hole, document.limit) }
  }
}

extension ShellDocument {
  func isEnd(_ line: ArraySlice<ShellSymbol>) -> Bool { stripped(line).elementsEqual(delimiter) }

  /// bash also ends a document in parentheses at `EOF)`.
  func mayBeEnd(_ line: ArraySlice<ShellSymbol>) -> Bool {
    let text = stripped(line)
    return text.starts(with: delimiter) && text.dropFirst(delimiter.count).first == ")"
  }

  private func stripped(_ line: ArraySlice<ShellSymbol>) -> ArraySlice<ShellSymbol> {
    stripsTabs ? line.drop { $0 == "\t" } : line
  }

  /// Whether a line of the body, with its values, would end the document early.
  func isBroken(_ body: [ShellSymbol]) -> Bool {
    var joined: [ShellSymbol] = []
    for line in body.split(separator: "\n", omittingEmptySubsequences: false) {
      joined += line
      for text in [line, joined[...]] where isEnd(text) || isInside && mayBeEnd(text) { return true }
      let isContinued = !isLiteral && joined.reversed().prefix { $0 == "\\" }.count % 2 == 1
      joined = isContinued ? joined.dropLast() : []
    }
    return false
  }
}
