import DagBag
import Foundation
import Model
import Presentation
import Testing

@testable import CLI
@testable import Dagrun

/// What another scheduler learns about groups, and about what a task decides.
@Suite struct ChoiceRecordTests {
  private static let place = SourceLocation(file: "/dags/a.swift", line: 7)

  private static let dag: DAGDescription = {
    var dag = DAGDescription(id: "a", location: place)
    dag.groups = [
      TaskGroupDescription(id: "g", parentID: "", prefix: "g.", documentation: "", location: place),
      TaskGroupDescription(id: "g.h", parentID: "g", prefix: "", documentation: "Plain.", location: place),
    ]
    func task(_ id: String, _ upstream: [String], group: String = "") -> TaskDescription {
      var task = TaskDescription(id: id, work: .swift, location: place)
      task.upstream = upstream
      task.groupID = group
      return task
    }
    dag.tasks = [
      task("choose", []), task("g.left", ["choose"], group: "g"), task("right", ["choose"], group: "g.h"),
      task("below", ["right"]),
    ]
    dag.tasks[0].decision = .branch(cases: ["left": ["g.left"], "right": ["right"]])
    return dag
  }()

  private func json(_ object: OutputObject) throws -> [String: Any] {
    let text = JSONText.compact(.object(object))
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func `an export has groups, and says which tasks decide`() throws {
    var contents = LoadedDAGs()
    contents.files = [DAGFile(path: "/dags/a.swift", version: "1f", libraryPath: "/a.so", entry: "a", dags: [Self.dag])]
    let exported = try json(DAGFiles(contents, folder: "/dags").exportRecord)
    let dag = try #require((exported["dags"] as? [[String: Any]])?.first)
    let groups = try #require(dag["groups"] as? [[String: Any]])
    #expect(
      groups.map { $0["id"] as? String } == ["g", "g.h"] && groups.map { $0["prefix"] as? String } == ["g.", ""])
    #expect(
      groups[0]["parent"] is NSNull && groups[1]["parent"] as? String == "g" && groups[1]["doc"] as? String == "Plain.")
    let tasks = try #require(dag["tasks"] as? [[String: Any]])
    #expect(tasks.map { $0["group"] as? String } == [nil, "g", "g.h", nil])
    #expect(tasks.map { $0["decides"] as? Bool } == [true, false, false, false])
    #expect(tasks[0]["operator"] as? String == "BranchOperator")
  }

  @Test(arguments: [
    (#"["left"]"#, ["right"]), (#"["right"]"#, ["g.left"]), ("[]", ["g.left", "right"]), (#"["left","right"]"#, []),
  ])
  func `the end of a task names those that it excludes`(output: String, excluded: [String]) throws {
    let rehearsal = TaskRehearsal(
      dag: Self.dag, task: Self.dag.tasks[0],
      context: RunContext(
        dagID: "a", runID: "r", logicalDate: nil, dataIntervalStart: nil, dataIntervalEnd: nil,
        runAfter: Timestamp(microseconds: 0), previousSuccessStart: nil, previousSuccessEnd: nil, parameters: [:],
        variables: [:]), tryNumber: 1, outputs: [:], without: [])
    let ended = try StandaloneTaskResult(TaskResult(.success, output: output), stop: nil, of: rehearsal.task)
    #expect(try json(ended.record(of: rehearsal))["skip"] as? [String] == excluded)
  }

  @Test func `an answer that is none fails the task for good`() throws {
    let ended = try StandaloneTaskResult(
      TaskResult(.success, output: #"["up"]"#), stop: nil, of: Self.dag.tasks[0])
    #expect(ended.state == .failed && !ended.isRetryable)
    #expect(ended.reason == #"it returned "up"; its cases are left, right"#)
  }
}
