internal import Foundation
internal import Glibc
internal import Processes

/// The whole life of a worker process.
///
/// - Parameters:
///   - arguments: the worker's folder, and the pid of the scheduler that started it (`workerArguments`). Descriptors 3
///     and 4 are its sockets: for tasks, and for stops.
///   - code: where Swift tasks come from.
package func workerMain(arguments: [String], code: TaskCode) -> Never {
  guard arguments.count == 2, let scheduler = pid_t(arguments[1]) else {
    note("`worker` is started by the scheduler, not by hand")
    exit(2)
  }
  do throws(SystemError) {
    let worker = try Worker(
      folder: arguments[0], scheduler: scheduler, socket: WorkerDescriptors.tasks,
      controlSocket: WorkerDescriptors.control, code: code)
    theWorker = worker
    onExit { theWorker?.exitCalled(code: $0) }
    guardDescriptors(worker.descriptors) { theWorker?.willLose(descriptor: $0) }
    worker.startControlThread()
    startThread { worker.run() }
  } catch {
    note("a worker cannot start: \(error)")
    _exit(error.isShortage ? WorkerExit.shortage : WorkerExit.failure)
  }
  // The main actor's thread: loads the DAG file, and serves its tasks that ask for the main actor.
  while true { _ = RunLoop.main.run(mode: .default, before: .distantFuture) }
}

/// What to start a worker with, besides the name of the program.
package func workerArguments(folder: String, scheduler: Int32) -> [String] {
  ["worker", folder, "\(scheduler)"]
}

package enum WorkerDescriptors {
  package static let tasks: Int32 = 3
  package static let control: Int32 = 4
}

/// How a worker ends that has not begun what it was given.
package enum WorkerExit {
  package static let failure: Int32 = 1
  /// It may work in a while (EX_TEMPFAIL).
  package static let shortage: Int32 = 75
}

/// For `exit`, whose callback can capture nothing. Written once, before the worker runs anything.
nonisolated(unsafe) var theWorker: Worker?

func startThread(_ body: @escaping @Sendable () -> Void) {
  let thread = Thread(block: body)
  // As much as a main thread has.
  thread.stackSize = 8 << 20
  thread.start()
}
