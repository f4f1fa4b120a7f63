import Dagrun
import Foundation
import Testing

@testable import Clash

@Suite struct MachineMessageTests {
  private func read(_ kind: String, _ data: String = "", _ more: [String: String] = [:]) -> MachineMessage? {
    var attributes = ["dagrun": "1", "job": "j", "attempt": "2", "boot": "b", "kind": kind, "sequence": "0"]
    attributes.merge(more) { $1 }
    return MachineMessage(JobMessage(ackID: "a", attributes: attributes, data: Data(data.utf8)), job: "j")
  }

  @Test func `each kind is read as it is written`() {
    #expect(read("heartbeat")?.content == .heartbeat)
    #expect(read("preempted")?.content == .preempted)
    #expect(
      read("started", "{\"startedAt\":1800000000.25}")?.content
        == .started(at: Timestamp(microseconds: 1_800_000_000_250_000)))
    #expect(read("log", "abc", ["offset": "7"])?.content == .log(offset: 7, Array("abc".utf8)))
    #expect(read("heartbeat")?.attempt == 2)
    #expect(read("heartbeat")?.boot == "b")
  }

  @Test func `a result has its texts in base64`() {
    let json = """
      {"status":null,"infrastructure":{"kind":"inputs","message":"bm8gYnVja2V0"},"startedAt":null,"endedAt":5,
       "logBytes":3,"logTail":"YWJj","output":"eyJhIjoxfQ=="}
      """
    let expected = MachineResult(
      status: nil, infrastructure: InfrastructureFailure(.inputs, "no bucket"), startedAt: nil,
      endedAt: Timestamp(microseconds: 5_000_000), logBytes: 3, logTail: Array("abc".utf8), output: "{\"a\":1}")
    #expect(read("result", json)?.content == .result(expected))
  }

  @Test func `a kind of failure that is not known is the machine's`() {
    let json =
      "{\"status\":1,\"infrastructure\":{\"kind\":\"new\",\"message\":\"eA==\"},\"endedAt\":5,\"logBytes\":0,"
      + "\"logTail\":\"\"}"
    guard case .result(let result)? = read("result", json)?.content else {
      Issue.record("not read")
      return
    }
    #expect(result.infrastructure == InfrastructureFailure(.machine, "x"))
  }

  @Test(arguments: ["", "{", "{\"status\": , \"logs\":1}", "{\"status\":0}", "{\"endedAt\":\"now\"}"])
  func `a result that is no result is said to be unreadable`(json: String) {
    guard case .unreadableResult? = read("result", json)?.content else {
      Issue.record("read")
      return
    }
  }

  @Test func `a word on the start that cannot be read is a word on the start`() {
    #expect(read("started", "junk")?.content == .started(at: nil))
  }

  @Test(arguments: [1e300, -5, .infinity])
  func `a clock gone mad stops nobody`(seconds: Double) {
    #expect(Timestamp(epochSeconds: seconds) == Timestamp(microseconds: 0))
  }

  @Test(arguments: [
    ["dagrun": "2"], ["job": "other"], ["attempt": "two"], ["kind": "new"], ["kind": "log"],
    ["kind": "log", "offset": "-1"],
  ])
  func `anything else is a stranger's`(change: [String: String]) { #expect(read("heartbeat", "", change) == nil) }

  @Test func `a tail begins with a whole character`() {
    let bytes = Array("äöü".utf8)
    #expect(WholeCharacters.text(ofTail: bytes) == "äöü")
    #expect(WholeCharacters.text(ofTail: Array(bytes.dropFirst())) == "öü")
    #expect(WholeCharacters.text(ofTail: Array("🚆x".utf8.dropFirst())) == "x")
    #expect(WholeCharacters.text(ofTail: []) == "")
  }
}
