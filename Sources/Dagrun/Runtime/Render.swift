extension Template {
  /// Everything a template may ask for.
  package struct Values {
    package var run: RunContext
    package var taskID: String
    package var tryNumber: Int
    /// Task id -> its output as JSON text.
    package var outputs: [String: String]

    package init(run: RunContext, taskID: String, tryNumber: Int, outputs: [String: String] = [:]) {
      self.run = run
      self.taskID = taskID
      self.tryNumber = tryNumber
      self.outputs = outputs
    }
  }

  package enum Context {
    /// Values are quoted so that a POSIX shell reads each as one word.
    case shell
    case plain
  }

  /// - Throws: `RenderError` when a value does not exist.
  package func render(_ values: Values, for context: Context) throws -> String { fatalError() }
}

/// A template asked for what is not there. Says what, and what to do.
package struct RenderError: Error, CustomStringConvertible, Hashable {
  package var description: String

  package init(_ description: String) { self.description = description }
}
