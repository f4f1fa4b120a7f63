import Foundation
import Testing

/// Tests that wait for processes by blocking, each on threads of its own.
///
/// The threads that Swift gives to async code are as many as the machine has processors. Two tests that wait would hold
/// both of a small machine, and all others would stand still, also those whose processes wait for an answer.
struct ThreadOfItsOwn: SuiteTrait, TestTrait, TestScoping {
  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    guard testCase != nil else { return try await function() }
    try await withTaskExecutorPreference(ThreadExecutor.shared) { try await function() }
  }
}

extension Trait where Self == ThreadOfItsOwn {
  /// For suites whose tests block.
  static var blocking: Self { Self() }
}

/// Runs each job on a new thread.
private final class ThreadExecutor: TaskExecutor {
  static let shared = ThreadExecutor()

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let thread = Thread { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    thread.stackSize = 8 << 20
    thread.start()
  }
}
