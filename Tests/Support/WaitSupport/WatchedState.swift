import Synchronization

/// A value under a lock. A test can wait until it is as it should be; that is looked at after each change.
package final class WatchedState<Value: Sendable>: Sendable {
  private struct Waiter {
    var id: Int
    var condition: @Sendable (Value) -> Bool
    var continuation: CheckedContinuation<Void, Never>
  }

  private struct Content {
    var value: Value
    var waiters: [Waiter] = []
    var lastID = 0
  }

  private let content: Mutex<Content>

  package init(_ value: Value) { content = Mutex(Content(value: value)) }

  package func withLock<Result: Sendable, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let (result, ready) = content.withLock { content in
      let result = Swift.Result { () throws(Failure) in try body(&content.value) }
      let value = content.value
      let ready = content.waiters.filter { $0.condition(value) }
      content.waiters.removeAll { waiter in ready.contains { $0.id == waiter.id } }
      return (result, ready)
    }
    for waiter in ready { waiter.continuation.resume() }
    return try result.get()
  }

  /// Returns early when the test is out of time: it would hang otherwise.
  package func wait(until condition: @escaping @Sendable (Value) -> Bool) async {
    let id = content.withLock { content in
      content.lastID += 1
      return content.lastID
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDone = content.withLock { content in
          if Task.isCancelled || condition(content.value) { return true }
          content.waiters.append(Waiter(id: id, condition: condition, continuation: continuation))
          return false
        }
        if isDone { continuation.resume() }
      }
    } onCancel: {
      let waiter = content.withLock { content in
        content.waiters.firstIndex { $0.id == id }.map { content.waiters.remove(at: $0) }
      }
      waiter?.continuation.resume()
    }
  }
}
