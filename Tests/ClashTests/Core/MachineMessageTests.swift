import Dagrun
import Foundation
import FuzzSupport
import Testing

@testable import Clash

@Suite struct MachineMessageTests {
  private func request(secret: String? = nil) -> JobRequest {
    let spec = JobSpec(config: JobConfig(project: "p", image: "i"), command: .image)
    var request = JobRequest(name: "j", spec: spec, origin: JobOrigin(homeID: "h"))
    request.secret = secret
    return request
  }

  private func message(_ kind: String, _ data: String = "", _ more: [String: String] = [:]) -> JobMessage {
    var attributes = ["dagrun": "1", "job": "j", "attempt": "2", "boot": "b", "kind": kind, "sequence": "0"]
    attributes.merge(more) { $1 }
    return JobMessage(ackID: "a", attributes: attributes, data: Data(data.utf8))
  }

  private func read(_ kind: String, _ data: String = "", _ more: [String: String] = [:]) -> MachineMessage? {
    MachineMessage(message(kind, data, more), of: request())
  }

  @Test func `numbers that no VM can mean are refused`() {
    for number in FuzzSource.integers {
      let attempt = read("heartbeat", "", ["attempt": "\(number)"])
      #expect((attempt != nil) == (number >= 1), "attempt \(number)")
      let part = read("log", "abc", ["offset": "\(number)"])
      #expect((part != nil) == (0...(1 << 53) - 3).contains(number), "offset \(number)")
      let json = #"{"status":\#(number),"endedAt":5,"logBytes":0,"logTail":""}"#
      if case .result? = read("result", json)?.content {
        #expect((0...255).contains(number))
      } else {
        #expect(!(0...255).contains(number), "status \(number)")
      }
      let length = #"{"status":0,"endedAt":5,"logBytes":\#(number),"logTail":""}"#
      if case .result? = read("result", length)?.content {
        #expect((0...1 << 53).contains(number))
      } else {
        #expect(!(0...1 << 53).contains(number), "logBytes \(number)")
      }
    }
    for seconds in ["1e300", "-1e300", "9223372036854775807", "1e11"] {
      _ = read("started", #"{"startedAt":\#(seconds)}"#)
      _ = read("result", #"{"status":0,"startedAt":\#(seconds),"endedAt":\#(seconds),"logBytes":0,"logTail":""}"#)
    }
    #expect(read("heartbeat", "", ["boot": String(repeating: "b", count: 100_000)]) == nil)
  }

  @Test func `an attempt's messages carry its word, which is another one for each attempt and job`() throws {
    let secret = request(secret: "s")
    let word = try #require(secret.word(ofAttempt: 2))
    #expect(word.utf8.count == 32)
    #expect(MachineMessage(message("heartbeat", "", ["word": word]), of: secret) != nil)
    #expect(MachineMessage(message("heartbeat"), of: secret) == nil)
    for other in ["", "s", secret.word(ofAttempt: 1)!, request(secret: "t").word(ofAttempt: 2)!] {
      #expect(MachineMessage(message("heartbeat", "", ["word": other]), of: secret) == nil)
    }
    // A job that an older program began.
    #expect(read("heartbeat", "", ["word": "whatever"]) != nil)
    #expect(JobRequest.randomSecret() != JobRequest.randomSecret())
  }

  @Test func `random messages stop no job, and are all acknowledged but results`() {
    var fuzz = FuzzSource("messages of VMs")
    let json = #"{"status":0,"startedAt":1,"endedAt":5,"logBytes":3,"logTail":"YWJj","output":"eyJhIjoxfQ=="}"#
    for _ in 0..<FuzzSource.rounds(usual: 2_000) {
      var walk = Walk.running()
      for _ in 0..<Int.random(in: 1...6, using: &fuzz) {
        let kind = ["started", "log", "log", "heartbeat", "preempted", "result", "x"].randomElement(using: &fuzz)!
        func number() -> String { "\(FuzzSource.integers.randomElement(using: &fuzz)!)" }
        var attributes = ["attempt": Bool.random(using: &fuzz) ? "1" : number()]
        attributes["offset"] = Bool.random(using: &fuzz) ? "3" : number()
        attributes["boot"] = Bool.random(using: &fuzz) ? "b" : "c"
        var said = message(kind, "", attributes)
        let text = kind == "result" ? json : kind == "started" ? #"{"startedAt":1800000000}"# : "abc"
        said.data = Data(Bool.random(using: &fuzz) ? fuzz.mutate(Array(text.utf8)) : Array(text.utf8))
        _ = walk.tell(.received([said]))
        walk.now = walk.now.adding(seconds: Double.random(in: 0...200, using: &fuzz))
        _ = walk.tell(.wake)
        // It can be saved and restored.
        if let stored = try? walk.job.record(), let restored = try? Job(restoring: stored) { walk.job = restored }
      }
    }
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
  func `a result that is not a result is said to be unreadable`(json: String) {
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
  func `anything else is another owner's`(change: [String: String]) { #expect(read("heartbeat", "", change) == nil) }
}
