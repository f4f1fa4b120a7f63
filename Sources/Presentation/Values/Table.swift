/// Rows under headings, each column as wide as its widest cell.
package struct Table {
  package var headings: [String]
  package var rows: [[String]]
  /// Columns whose cells are states, coloured on a terminal.
  package var stateColumns: Set<Int>

  package init(headings: [String], rows: [[String]], stateColumns: Set<Int> = []) {
    self.headings = headings
    self.rows = rows
    self.stateColumns = stateColumns
  }

  /// - Parameter width: columns of the terminal, beyond which the widest cells are shortened; nil: no limit.
  package func render(width: Int?, style: Style) -> String {
    var widths = headings.map(TextWidth.of)
    let cells = rows.map { $0.map(Self.oneLine) }
    for row in cells {
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], TextWidth.of(cell)) }
    }
    if let width { widths = Self.shrink(widths, to: width) }

    var text = line(headings, widths) { _, cell in style.bold(cell) }
    text += line(widths.map { String(repeating: "─", count: $0) }, widths) { _, cell in style.dim(cell) }
    for row in cells {
      text += line(row, widths) { column, cell in stateColumns.contains(column) ? style.state(cell) : cell }
    }
    return text
  }

  private func line(_ cells: [String], _ widths: [Int], paint: (Int, String) -> String) -> String {
    var text = ""
    for (column, cell) in cells.enumerated() {
      let shown = TextWidth.truncate(cell, to: widths[column])
      text += paint(column, shown)
      // Trailing blanks only make lines wrap.
      guard column < cells.count - 1 else { break }
      text += String(repeating: " ", count: widths[column] - TextWidth.of(shown) + 2)
    }
    while text.hasSuffix(" ") { text.removeLast() }
    return text + "\n"
  }

  private static func oneLine(_ cell: String) -> String {
    cell.contains(where: \.isNewline) ? cell.split(whereSeparator: \.isNewline).joined(separator: " ") : cell
  }

  /// Takes from the widest column until the line fits, or no column is worth shortening.
  private static func shrink(_ widths: [Int], to total: Int) -> [Int] {
    let narrowest = 10
    var widths = widths
    while widths.reduce(0, +) + 2 * (widths.count - 1) > total {
      guard let widest = widths.indices.max(by: { widths[$0] < widths[$1] }), widths[widest] > narrowest else { break }
      widths[widest] -= 1
    }
    return widths
  }
}
