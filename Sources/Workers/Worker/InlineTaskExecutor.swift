internal import Glibc

/// Runs a Swift task's closure on the thread that waits for it, so that a closure which never waits costs no change of
/// threads. What comes while that thread is busy, such as the children of a task group, runs on the global executor: a
/// task may use all cores.
final class InlineTaskExecutor: TaskExecutor, @unchecked Sendable {
  private var mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  // All three are guarded by the mutex.
  private var waiting: UnownedJob?
  private var isIdle = false
  private var isDone = false

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    pthread_cond_destroy(condition)
    mutex.deallocate()
    condition.deallocate()
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    pthread_mutex_lock(mutex)
    let takesIt = isIdle && waiting == nil
    if takesIt {
      waiting = job
      pthread_cond_signal(condition)
    }
    pthread_mutex_unlock(mutex)
    if !takesIt { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
  }

  /// Starts the operation and lends it this thread until it has ended.
  ///
  /// - Parameter onStart: gets the task before it runs.
  func run(
    _ operation: @escaping @Sendable () async -> Void, onStart: (_Concurrency.Task<Void, Never>) -> Void
  ) {
    isIdle = true
    isDone = false
    let task = _Concurrency.Task(executorPreference: self) {
      await operation()
      self.finish()
    }
    onStart(task)
    pthread_mutex_lock(mutex)
    while true {
      if let job = waiting {
        waiting = nil
        isIdle = false
        pthread_mutex_unlock(mutex)
        job.runSynchronously(on: asUnownedTaskExecutor())
        pthread_mutex_lock(mutex)
        isIdle = true
      } else if isDone {
        break
      } else {
        pthread_cond_wait(condition, mutex)
      }
    }
    isIdle = false
    pthread_mutex_unlock(mutex)
  }

  private func finish() {
    pthread_mutex_lock(mutex)
    isDone = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }
}
