import Presentation

/// `-o`: how a command prints what it lists.
enum OutputFormat: String, CaseIterable, Sendable {
  /// Aligned columns under headings.
  case table
  /// Every field, with the names of Airflow's REST API.
  case json
  case yaml
  /// A row a line, its cells separated by tabs, without headings: for `cut` and `awk`.
  case plain
}

/// What a command that lists has to say.
struct Listing {
  var records: [OutputObject]
  /// The fields that a table or plain lines show, in this order.
  var columns: [String]
  /// A sentence for the reader of an empty table.
  var whenEmpty: String

  func print(_ format: OutputFormat, to session: Session) throws {
    switch format {
    case .json: session.output.data(JSONText.pretty(.list(records.map(OutputValue.object))) + "\n")
    case .yaml: session.output.data(try YAMLText.write(.list(records.map(OutputValue.object))))
    case .plain:
      for record in records {
        session.output.write(columns.map { Self.plainCell(record[$0]) }.joined(separator: "\t") + "\n")
      }
    case .table:
      guard !records.isEmpty else { return session.errors.line(whenEmpty) }
      let table = Table(
        headings: columns, rows: records.map { record in columns.map { record[$0]?.cell ?? "" } },
        stateColumns: Set(columns.indices.filter { columns[$0].hasSuffix("state") }))
      session.output.write(table.render(width: session.output.columns, style: session.output.style))
    }
  }

  /// A cell must not look like two cells, or a row like two rows.
  fileprivate static func plainCell(_ value: OutputValue?) -> String {
    String((value?.cell ?? "").map { $0 == "\t" || $0.isNewline ? " " : $0 })
  }
}

extension OutputObject {
  /// One thing with its properties: a field a line in a table.
  func print(_ format: OutputFormat, to session: Session) throws {
    switch format {
    case .json: session.output.data(JSONText.pretty(.object(self)) + "\n")
    case .yaml: session.output.data(try YAMLText.write(.object(self)))
    case .plain:
      for field in fields { session.output.write("\(ShownText.line(field.name))\t\(Listing.plainCell(field.value))\n") }
    case .table:
      let names = fields.map { ShownText.line($0.name) }
      let width = names.map(TextWidth.of).max() ?? 0
      let style = session.output.style
      for (name, field) in zip(names, fields) {
        let cell = field.name.hasSuffix("state") ? style.state(field.value.cell) : field.value.cell
        let lines = cell.split(separator: "\n", omittingEmptySubsequences: false)
        session.output.line(style.bold(TextWidth.pad(name, to: width)) + "  " + (lines.first ?? ""))
        for line in lines.dropFirst() { session.output.line(String(repeating: " ", count: width + 2) + line) }
      }
    }
  }
}
