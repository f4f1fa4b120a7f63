internal import Dispatch
internal import Processes

/// Gives memory back after many jobs have done something at once. A thousand that begin together have a hundred
/// megabytes of requests under way; glibc would keep that for as long as they wait then, which may be hours.
///
/// Confined to the queue that it is given.
struct MemoryTrim {
  private let queue: DispatchQueue
  private var steps = 0
  private var isDue = false

  init(_ queue: DispatchQueue) { self.queue = queue }

  /// - Parameter end: is called on the queue, and calls `end` here.
  mutating func noteSteps(_ count: Int, end: @escaping @Sendable () -> Void) {
    steps += count
    guard steps >= Self.stepsThatCount, !isDue else { return }
    isDue = true
    queue.asyncAfter(deadline: .now() + Self.delaySeconds, execute: end)
  }

  mutating func end() {
    isDue = false
    steps = 0
    // Takes some milliseconds, during which jobs need not wait.
    DispatchQueue.global(qos: .utility).async { giveBackMemory() }
  }

  private static let stepsThatCount = 100
  private static let delaySeconds = 5.0
}
