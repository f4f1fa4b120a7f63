/// A way to reach the scheduler of a home: the one in this process, or the one that listens on the home's socket.
package protocol Control: Sendable {
  func send(_ request: ControlRequest) async throws -> ControlReply
  /// Ends after the report with `isFinal`.
  func follow(run: Int64) -> AsyncThrowingStream<RunProgress, any Error>
}
