import Dagrun
import Foundation
import Testing

@testable import CLI

@Suite struct ExternalRunContextTests {
  private static func read(_ text: String) throws -> ExternalRunContext {
    let path = FileManager.default.temporaryDirectory.path + "/context-\(UUID().uuidString).json"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try ExternalRunContext.read(from: path)
  }

  @Test func `a run's id is enough`() throws {
    let context = try Self.read(#"{"run_id": "manual__1"}"#)
    #expect(context == ExternalRunContext(runID: "manual__1"))
    #expect(context.tryNumber == 1 && context.job == nil)
  }

  @Test func `every key is read`() throws {
    let context = try Self.read(
      """
      {"run_id": "r", "logical_date": "2026-01-31T01:00:00+01:00", "data_interval_start": "2026-01-31",
       "data_interval_end": "2026-02-01T00:00:00Z", "run_after": "2026-02-01T00:00:00.5+00:00", "try_number": 3,
       "conf": {"region": "eu", "n": 2}, "outputs": {"a": 1, "b": null, "c": {"x": [1.5, "é"]}},
       "previous_success_start": "2026-01-30", "previous_success_end": null, "job": {"name": "train-3fk2", "attempt": 2}}
      """)
    let midnight = try #require(Timestamp(iso8601: "2026-01-31"))
    #expect(context.logicalDate == midnight && context.dataIntervalStart == midnight)
    #expect(context.dataIntervalEnd == Timestamp(iso8601: "2026-02-01"))
    #expect(context.runAfter == Timestamp(iso8601: "2026-02-01T00:00:00.5Z"))
    #expect(context.previousSuccessStart == Timestamp(iso8601: "2026-01-30") && context.previousSuccessEnd == nil)
    #expect(context.tryNumber == 3 && context.conf == ["region": .string("eu"), "n": .int(2)])
    let c = JSONValue.object(["x": .array([.double(1.5), .string("é")])])
    #expect(context.outputs == ["a": .int(1), "b": .null, "c": c])
    #expect(context.job == ExternalRunContext.JobOfTask(name: "train-3fk2", attempt: 2))
  }

  @Test(arguments: [
    (
      #"{"run_id": "r", "logicaldate": "2026-01-31"}"#,
      #"the key "logicaldate" is unknown; did you mean "logical_date"?"#
    ),
    (#"{"run_id": "r", "wether": 1}"#, #"the key "wether" is unknown"#),
    (#"{"run_id": "r", "job": {"name": "abc", "number": 1}}"#, #"job: the key "number" is unknown"#),
    (#"{}"#, #""run_id" is missing"#), (#"{"run_id": ""}"#, "run_id: it is empty"),
    (#"{"run_id": 1}"#, "run_id: expected the run's id"),
    (#"{"run_id": "r", "logical_date": "soon"}"#, #"logical_date: "soon" is not a date"#),
    (#"{"run_id": "r", "run_after": 5}"#, "run_after: expected a date"),
    (#"{"run_id": "r", "try_number": 0}"#, "try_number: expected a whole number from 1"),
    (#"{"run_id": "r", "try_number": "2"}"#, "try_number: expected a whole number from 1"),
    (#"{"run_id": "r", "conf": [1]}"#, "conf: expected an object"),
    (#"{"run_id": "r", "outputs": "x"}"#, "outputs: expected an object"),
    (#"{"run_id": "r", "job": {"name": "Train", "attempt": 1}}"#, "job.name: "),
    (#"{"run_id": "r", "job": {"name": "train", "attempt": 0}}"#, "job.attempt: expected a whole number from 1"),
    (#"[]"#, "expected an object"), ("{", "is not a context"), ("  \n", "there is no context"),
  ])
  func `what is wrong is named with its place`(text: String, words: String) throws {
    let userError = #expect(throws: UserError.self) { try Self.read(text) }
    #expect(userError?.status == .wrongUsage)
    #expect(userError?.message.contains(words) == true, "\(userError?.message ?? "")")
  }

  @Test func `the date and the conf are said once`() async throws {
    let session = TestSession()
    #expect(await session.run("tasks", "run", "a", "b", "2026-01-31", "--context", "-") == .wrongUsage)
    #expect(session.errors.contains("--context has the date"))
    #expect(await session.run("tasks", "run", "a", "b", "-c", "{}", "--context", "-") == .wrongUsage)
    #expect(session.errors.contains("--context has the conf"))
  }

  @Test func `a leash that was not handed on is refused`() async throws {
    let folder = try TestFolder()
    let session = TestSession()
    session.workingDirectory = folder.path
    #expect(await session.run("tasks", "run", "a", "b", "--leash", "2000000000") == .wrongUsage)
    #expect(session.errors.contains("--leash 2000000000"))
  }
}
