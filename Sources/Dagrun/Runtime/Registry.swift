package import Foundation
import Synchronization

/// What the top-level code of a DAG file has said so far, in the process that runs it.
///
/// Describing is single-threaded: one process, one file, its top-level code on the main thread. Tasks are looked up
/// afterwards, from any thread.
package enum Registry {
  /// Touched only while top-level code runs, on its thread.
  nonisolated(unsafe) private static var current: DAGBuilder?
  /// Takes the tasks that a file makes outside of any DAG, so that the mistake is noted and describing continues.
  nonisolated(unsafe) private static var stray: DAGBuilder?
  private static let results = Mutex(Results())

  private struct Results {
    var dags: [DAGDescription] = []
    var problems: [DescriptionProblem] = []
    var bodies: [String: [String: SwiftTaskBody]] = [:]
    var filesRead: [FileDescription.ReadFile] = []
  }

  /// What the file said: its DAGs, and what is wrong with them.
  package static func description() -> FileDescription {
    results.withLock { FileDescription(dags: $0.dags, problems: $0.problems, filesRead: $0.filesRead) }
  }

  /// The closure of a Swift task; nil when the file has no such task.
  package static func body(dagID: String, taskID: String) -> SwiftTaskBody? {
    results.withLock { $0.bodies[dagID]?[taskID] }
  }

  /// Forgets everything, so that a test can describe another DAG.
  package static func reset() {
    current = nil
    stray = nil
    results.withLock { $0 = Results() }
  }

  static func begin(_ builder: DAGBuilder) {
    if let outer = current {
      builder.problem(
        "DAG \"\(builder.description.id)\" is inside of DAG \"\(outer.description.id)\"; close that first")
    }
    current = builder
  }

  static func end(_ builder: DAGBuilder) {
    current = nil
    builder.finish()
    let dag = builder.description
    let problems = builder.problems
    let bodies = builder.bodies
    results.withLock { results in
      if let first = results.dags.first(where: { $0.id == dag.id }) {
        results.problems.append(
          DescriptionProblem(
            "there are two DAGs \"\(dag.id)\"; the first is in line \(first.location.line)", at: dag.location))
      }
      results.problems += problems
      results.dags.append(dag)
      if results.bodies[dag.id] == nil { results.bodies[dag.id] = bodies }
    }
  }

  static func addTask(
    _ id: String, _ work: TaskDescription.Work, _ options: CommonOptions, _ location: SourceLocation
  ) -> TaskReference {
    if let current { return current.addTask(id, work, options, location) }
    let problem = DescriptionProblem(
      "task \"\(id)\" is outside of any DAG; make it in the braces of DAG(…) { … }", at: location)
    results.withLock { $0.problems.append(problem) }
    let builder = stray ?? DAGBuilder(DAGDescription(id: "", location: location), defaults: TaskDefaults())
    stray = builder
    return builder.addTask(id, work, options, location)
  }

  /// The tasks that are made until `endGroup` are in the group.
  static func beginGroup(
    _ id: String, prefixes: Bool, defaults: TaskDefaults?, _ documentation: String, _ location: SourceLocation
  ) -> GroupScope {
    if let current { return current.beginGroup(id, prefixes: prefixes, defaults: defaults, documentation, location) }
    let problem = DescriptionProblem(
      "group \"\(id)\" is outside of any DAG; make it in the braces of DAG(…) { … }", at: location)
    results.withLock { $0.problems.append(problem) }
    let builder = stray ?? DAGBuilder(DAGDescription(id: "", location: location), defaults: TaskDefaults())
    stray = builder
    return builder.beginGroup(id, prefixes: prefixes, defaults: defaults, documentation, location)
  }

  static func endGroup(_ scope: GroupScope) { scope.builder.endGroup(scope) }

  /// The contents of a file whose path is from the DAG file's folder. That it was read is part of the description: when
  /// it changes, so does the DAG. Empty, and a problem, when it cannot be read.
  static func readFile(_ path: String, besides location: SourceLocation) -> Data {
    let folder = URL(filePath: location.file).deletingLastPathComponent()
    let url = URL(filePath: path, relativeTo: folder).standardizedFileURL
    // Opening anything else may wait for ever.
    let target = url.resolvingSymlinksInPath().path(percentEncoded: false)
    let type = try? FileManager.default.attributesOfItem(atPath: target)[.type] as? FileAttributeType
    let contents = type == .typeRegular ? try? Data(contentsOf: url) : nil
    results.withLock { $0.filesRead.append(.init(path: url.path(percentEncoded: false), contents: contents)) }
    guard let contents else {
      problem(
        "there is no file \"\(path)\" that can be read beside the DAG file (\(url.path(percentEncoded: false)))",
        at: location)
      return Data()
    }
    return contents
  }

  static func problem(_ message: String, at location: SourceLocation) {
    guard let current else {
      results.withLock { $0.problems.append(DescriptionProblem(message, at: location)) }
      return
    }
    current.problem(message, at: location)
  }

  /// A template uses a task's output.
  static func noteUse(of task: TaskReference, at location: SourceLocation) {
    guard let current, task.builder !== current else { return }
    current.problem(
      "the output of task \"\(task.id)\" belongs to DAG \"\(task.builder.description.id)\"; DAG "
        + "\"\(current.description.id)\" cannot use it", at: location)
  }
}

/// Decodes its inputs (JSON, one per input, in order), runs the closure, encodes its output; nil output for `Void`.
/// Throws what the closure throws, or an `InputMismatch` when an input is not of the type the task wants.
package typealias SwiftTaskBody = @Sendable (TaskContext, [Data]) async throws -> Data?

package struct FileDescription: Codable, Hashable, Sendable {
  package var dags: [DAGDescription]
  package var problems: [DescriptionProblem]
  /// Scripts of jobs. What they said is part of the description.
  package var filesRead: [ReadFile]

  package init(dags: [DAGDescription], problems: [DescriptionProblem], filesRead: [ReadFile] = []) {
    self.dags = dags
    self.problems = problems
    self.filesRead = filesRead
  }

  package struct ReadFile: Codable, Hashable, Sendable {
    /// Absolute.
    package var path: String
    /// nil: it could not be read.
    package var contents: Data?
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
