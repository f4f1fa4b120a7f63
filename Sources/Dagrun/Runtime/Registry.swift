package import Foundation

/// What the top-level code of a DAG file has said so far, in the process that runs it.
///
/// Describing is single-threaded: one process, one file, its top-level code on the main thread. Tasks are looked up
/// afterwards, from any thread.
package enum Registry {
  /// What the file said: its DAGs, and what is wrong with them.
  package static func description() -> FileDescription { fatalError("written by the authoring library") }

  /// The closure of a Swift task; nil when the file has no such task.
  package static func body(dagID: String, taskID: String) -> SwiftTaskBody? { fatalError() }
}

/// Decodes its inputs (JSON, one per input, in order), runs the closure, encodes its output; nil output for `Void`.
/// Throws what the closure throws, or an `InputMismatch` when an input is not of the type the task wants.
package typealias SwiftTaskBody = @Sendable (TaskContext, [Data]) async throws -> Data?

package struct FileDescription: Codable, Hashable, Sendable {
  package var dags: [DAGDescription]
  package var problems: [DescriptionProblem]

  package init(dags: [DAGDescription], problems: [DescriptionProblem]) {
    self.dags = dags
    self.problems = problems
  }
}

/// Something in a DAG file that compiled, and is wrong all the same.
package struct DescriptionProblem: Codable, Hashable, Sendable {
  package var message: String
  package var location: SourceLocation

  package init(_ message: String, at location: SourceLocation) {
    self.message = message
    self.location = location
  }
}
