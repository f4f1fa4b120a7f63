/// Why a try could not be begun, in words.
package struct LaunchError: Error, CustomStringConvertible {
  package var description: String
  package var isRetryable: Bool

  package init(_ description: String, isRetryable: Bool) {
    self.description = description
    self.isRetryable = isRetryable
  }
}
