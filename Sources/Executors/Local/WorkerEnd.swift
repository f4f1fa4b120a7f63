internal import Model
internal import Processes

extension TaskResult {
  /// A try whose worker's process ended under it.
  ///
  /// - Parameters:
  ///   - status: nil when nobody could see it.
  ///   - loss: what was lost with it.
  init(workerEnded status: ExitStatus?, loss: String? = nil) {
    let outcome: Outcome =
      switch status {
      case .exited(let code): .failed(reason: "ended its process with exit code \(code)", exitCode: Int(code))
      case .signaled(let number):
        .failed(reason: "its process was ended by \(ExitStatus.signaled(number))", signal: Int(number))
      case nil: .lost(.workerDied)
      }
    self.init(outcome, loss: loss)
  }
}
