/// A job that cannot be put into a VM's description. Its author can change that; trying again cannot.
package struct JobMachineError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, on what.
  package var message: String
  /// What to do next.
  package var hint: String?

  package init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }

  package var description: String { hint.map { "\(message): \($0)" } ?? message }
}
