import Model
import Processes
import Testing
import Workers

@testable import Executors

@Suite("A try whose worker's process ended")
struct TryAfterExitTests {
  private static let key = TryKey(run: 1, taskID: "a", number: 1)
  private static let result = TaskResult(.success, output: "1")

  @Test(
    "has ended as its worker noted, whatever ended the process",
    arguments: [Processes.ExitStatus.exited(0), .signaled(9), nil])
  func noted(status: Processes.ExitStatus?) {
    let entry = WorkerJournal.Entry(Self.key, result: Self.result)
    for isStopping in [false, true] {
      let what = TryAfterExit(entry: entry, hasJournal: true, status: status, isStopping: isStopping, workers: 1)
      #expect(what == .ended(Self.result))
    }
  }

  @Test("has died with it if it had begun, or nobody can say that it had not")
  func begun() {
    let began = WorkerJournal.Entry(Self.key)
    #expect(
      TryAfterExit(entry: began, hasJournal: true, status: .exited(1), isStopping: false, workers: 1) == .died)
    #expect(TryAfterExit(entry: began, hasJournal: true, status: .exited(1), isStopping: true, workers: 1) == .died)
    #expect(TryAfterExit(entry: nil, hasJournal: false, status: .exited(1), isStopping: false, workers: 1) == .died)
  }

  @Test(
    "is given to another if it had not begun, unless it was stopped or three workers have ended under it",
    arguments: [
      (status: Processes.ExitStatus.exited(1), isStopping: false, workers: 1, then: TryAfterExit.goesToAnother),
      (.signaled(9), false, 2, .goesToAnother), (.exited(1), false, 3, .fails), (.exited(1), true, 1, .stopped),
      (.exited(1), true, 3, .stopped), (.exited(WorkerExit.shortage), false, 1, .waitsOutShortage),
      (.exited(WorkerExit.shortage), false, 7, .waitsOutShortage),
      (.exited(WorkerExit.shortage), true, 1, .stopped),
    ])
  func notBegun(status: Processes.ExitStatus, isStopping: Bool, workers: Int, then: TryAfterExit) {
    let what = TryAfterExit(entry: nil, hasJournal: true, status: status, isStopping: isStopping, workers: workers)
    #expect(what == then)
  }
}
