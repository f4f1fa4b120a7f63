import ArgumentParser
import Dagrun

/// What the files of a dags folder say: their DAGs, and what is wrong with them.
struct DAGFiles: Sendable {
  /// By id.
  var dags: [DAGDescription]
  var importErrors: [ImportError]
  var folder: String

  struct ImportError: Hashable, Sendable {
    var file: String
    /// From 1; nil when it is about the whole file.
    var line: Int?
    /// As the compiler, or the description, gave it.
    var message: String
    /// What the file says in quotes: among it, the ids of the DAGs that it would describe.
    var quotedWords: Set<String>

    var record: Record {
      ["filename": .text(file), "line": .optional(line), "stack_trace": .text(message)]
    }

    func text(style: Style) -> String {
      let place = line.map { "\(file):\($0)" } ?? file
      let lines = message.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)\n" }
      return style.bold(place) + "\n" + lines.joined()
    }
  }

  /// - Throws: exit code 4 when the DAG is in a file that is broken, and 3 when there is no such DAG.
  func dag(_ id: String) throws -> DAGDescription {
    if let dag = dags.first(where: { $0.id == id }) { return dag }
    if let complaint = brokenFile(of: id) { throw complaint }
    throw Complaint(notFound: "DAG", id, among: dags.map(\.id), hint: "'dagrun dags list' lists those of \(folder)")
  }

  /// A file that does not compile cannot say which DAGs it has; one that has the id in quotes most likely has this one.
  func brokenFile(of id: String) -> Complaint? {
    let errors = importErrors.filter { $0.quotedWords.contains(id) }
    guard !errors.isEmpty else { return nil }
    let texts = errors.map { $0.text(style: Style(isColoured: false)) }.joined()
    return Complaint(
      .importErrors, "DAG '\(id)' cannot be loaded: there \(errors.count == 1 ? "is an import error" : "are import errors") in its file",
      hint: String(texts.dropLast()).split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n  "))
  }

  /// Said by every command that lists DAGs, so that a missing one is no riddle.
  func mentionImportErrors(to session: Session) {
    guard !importErrors.isEmpty else { return }
    let files = Set(importErrors.map(\.file)).count
    session.errors.line(
      "\(files) \(files == 1 ? "file has" : "files have") import errors: see 'dagrun dags list-import-errors'")
  }

  /// The texts between double quotes.
  static func quotedWords(in source: String) -> Set<String> {
    var words: Set<String> = []
    for line in source.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
      for index in parts.indices where index % 2 == 1 { words.insert(String(parts[index])) }
    }
    return words
  }
}
