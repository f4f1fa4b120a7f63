import Dagrun
import Foundation
import Testing

private enum Size: String, CaseIterable { case small, large }

@Suite struct ParameterTests {
  private let dag: DAGDescription = {
    var dag = DAGDescription(id: "d", location: SourceLocation(file: "", line: 0))
    let params: [Param] = [
      .string("region", default: "eu", length: 2...4, matching: "[a-z]+"), .int("count", default: 3, in: 1...10),
      .double("rate", default: 0.5, atLeast: 0), .bool("dry", default: false), .date("since", default: "2026-01-01"),
      .oneOf("size", Size.self, default: .small), .list("days", of: Int.self, default: [], length: 0...2),
      .int("needed", atMost: 5),
    ]
    dag.parameters = params.map(\.description)
    return dag
  }()

  @Test func `defaults and conf are merged, and unknown keys are kept`() throws {
    let values = try dag.resolveParameters(conf: #"{"needed": 1, "rate": 2, "days": [1, 2], "extra": {"a": null}}"#)
    #expect(
      values == [
        "region": .string("eu"), "count": .int(3), "rate": .double(2), "dry": .bool(false),
        "since": .string("2026-01-01"), "size": .string("small"), "days": .array([.int(1), .int(2)]),
        "needed": .int(1), "extra": .object(["a": .null]),
      ])
  }

  @Test(arguments: [
    (
      #"{"region": "EU"}"#,
      #"parameter "region" cannot be "EU": it must be a text of 2 to 4 characters that matches [a-z]+"#
    ),
    (#"{"region": "europe"}"#, #"cannot be "europe""#), (#"{"region": 1}"#, #"cannot be 1: it must be a text"#),
    (#"{"count": 11}"#, #"parameter "count" cannot be 11: it must be a whole number from 1 to 10"#),
    (#"{"count": 2.5}"#, "cannot be 2.5"), (#"{"count": true}"#, "cannot be true"),
    (#"{"count": null}"#, "cannot be null"),
    (#"{"rate": -0.1}"#, "it must be a number, 0 or more"),
    (#"{"dry": "yes"}"#, #"cannot be "yes": it must be true or false"#),
    (#"{"since": "2026-02-30"}"#, #"it must be a date such as "2026-01-31""#),
    (#"{"size": "huge"}"#, #"it must be one of "small", "large""#),
    (#"{"days": ["mon"]}"#, "it must be a list, each element a whole number of 0 to 2 elements"),
    (#"{"days": [1, 2, 3]}"#, "cannot be [1,2,3]"),
    (#"{"regoin": "us"}"#, #"DAG "d" has no parameter "regoin"; did you mean "region"?"#),
    ("{}", #"DAG "d" needs parameter "needed" (a whole number, 5 or less)"#),
    ("[1]", "the conf must be a JSON object"), ("{", "the conf is not JSON"), ("\"x\"", "must be a JSON object"),
  ])
  func `a wrong value names the parameter, itself, and what is allowed`(conf: String, message: String) {
    let error = #expect(throws: ParameterError.self) { try dag.resolveParameters(conf: conf) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
  }

  @Test func `a task reads parameters by type, and fails for good when there is none`() throws {
    var run = RunContext(dagID: "d", runID: "r", runAfter: Timestamp(microseconds: 0))
    run.parameters = [
      "region": .string("eu"), "count": .int(3), "rate": .double(0.5), "dry": .bool(true),
      "since": .string("2026-01-01"),
      "days": .array([.int(1)]),
    ]
    let params = TaskContext(run: run, taskID: "t", tryNumber: 1).params
    #expect(try params.string("region") == "eu" && params.int("count") == 3 && params.double("count") == 3)
    #expect(try params.double("rate") == 0.5 && params.bool("dry") && params.value("days", as: [Int].self) == [1])
    #expect(try params.date("since") == Date(timeIntervalSince1970: 1_767_225_600))
    #expect(params.contains("dry") && !params.contains("wet"))
    let missing = #expect(throws: TaskFailure.self) { try params.string("regio") }
    #expect(missing?.reason == "the run has no parameter \"regio\"; did you mean \"region\"?")
    let mismatch = #expect(throws: TaskFailure.self) { try params.int("region") }
    #expect(mismatch?.reason == "parameter \"region\" is \"eu\", not a whole number")
  }
}
