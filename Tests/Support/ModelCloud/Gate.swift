internal import Synchronization

/// Closed, until it is opened for good.
package final class Gate: Sendable {
  private let state = Mutex<(isOpen: Bool, waiters: [CheckedContinuation<Void, Never>])>((false, []))

  package init() {}

  /// A test that is out of time passes too: it would hang otherwise.
  package func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOpen = state.withLock { state in
          if !state.isOpen, !Task.isCancelled {
            state.waiters.append(continuation)
            return false
          }
          return true
        }
        if isOpen { continuation.resume() }
      }
    } onCancel: {
      open()
    }
  }

  package func open() {
    let waiters = state.withLock { state in
      state.isOpen = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }
}
