import Foundation
import Model
import Testing

/// The forms of a try's identity outside the program.
@Suite struct KeyTests {
  private static let mapped = TryKey(TaskInstanceKey(run: 7, taskID: "train", mapIndex: 3), 2, member: 1)

  private func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  @Test func `JSON says what is not the usual`() throws {
    #expect(try json(TryKey(run: 7, taskID: "train", number: 2)) == #"{"run":7,"taskID":"train","tryNumber":2}"#)
    #expect(
      try json(Self.mapped) == #"{"mapIndex":3,"member":1,"run":7,"taskID":"train","tryNumber":2}"#)
    for key in [Self.mapped, TryKey(run: 7, taskID: "train", number: 2)] {
      #expect(try JSONDecoder().decode(TryKey.self, from: Data(json(key).utf8)) == key)
    }
  }

  @Test func `the task of a job reads as an earlier dagrun wrote it`() throws {
    let text = #"{"dagID":"nightly","run":7,"runID":"manual__1","taskID":"train","tryNumber":2}"#
    let task = try JSONDecoder().decode(JobTask.self, from: Data(text.utf8))
    #expect(task == JobTask(dagID: "nightly", runID: "manual__1", key: TryKey(run: 7, taskID: "train", number: 2)))
    #expect(try json(task) == text)
  }

  @Test func `a role of a later dagrun is refused`() {
    let text = #"{"run":7,"taskID":"train","tryNumber":2,"role":9}"#
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(TryKey.self, from: Data(text.utf8)) }
  }

  @Test(arguments: [
    (TryKey(run: 7, taskID: "train", number: 2), "task_id=train/attempt=2.log"),
    (TryKey(run: 7, taskID: "train", number: 2).member(3), "task_id=train/attempt=2.job=3.log"),
    (mapped.member(0), "task_id=train/map_index=3/attempt=2.log"),
  ])
  func `logs lie where Airflow has them`(key: TryKey, path: String) {
    #expect(LogPath.withinRun(key) == path)
    #expect(LogPath.of(key, dagID: "d", runID: "manual__1") == "dag_id=d/run_id=manual__1/" + path)
  }

  @Test func `no two tries have one log`() {
    var paths: Set<String> = []
    for taskID in ["a", "b", String(repeating: "é", count: 200), String(repeating: "é", count: 201)] {
      for mapIndex in [-1, 0, 1] as [Int32] {
        for number in 1...3 {
          for member in 0...2 as ClosedRange<Int32> {
            let key = TryKey(TaskInstanceKey(run: 1, taskID: taskID, mapIndex: mapIndex), number, member: member)
            #expect(paths.insert(LogPath.withinRun(key)).inserted)
          }
        }
      }
    }
  }
}
