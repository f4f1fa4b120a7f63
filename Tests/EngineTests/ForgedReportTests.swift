import Control
import Dagrun
import Foundation
import FuzzSupport
import Model
import Scheduling
import Testing

@testable import Engine

/// A Swift task writes to the descriptor by which its worker reports.
@Suite(.serialized) struct `A task that forges reports` {
  /// `finished` of try 1 of task "forge" in run `run`, with the dates given.
  private static let file = """
    import Dagrun
    import Foundation

    func put<Value: FixedWidthInteger>(_ value: Value, to bytes: inout [UInt8]) {
      withUnsafeBytes(of: value.littleEndian) { bytes += Array($0) }
    }

    func report(run: Int64, output: String, from start: Int64, to end: Int64) -> [UInt8] {
      var body: [UInt8] = [1]
      put(run, to: &body)
      put(UInt32(5), to: &body)
      body += Array("forge".utf8)
      put(UInt32(1), to: &body)
      // Not mapped, the whole try, the task itself.
      put(Int32(-1), to: &body)
      put(Int32(0), to: &body)
      body += [0]
      // Not the worker's last; success; with an output.
      body += [0, 0, 1]
      put(UInt32(output.utf8.count), to: &body)
      body += Array(output.utf8)
      put(UInt64(0), to: &body)
      put(Int64(0), to: &body)
      put(start, to: &body)
      put(end, to: &body)
      body += [0]  // Nothing was lost.
      var message: [UInt8] = []
      put(UInt32(body.count), to: &message)
      return message + body
    }

    func forge(_ bytes: [UInt8], andGo: Bool = false) {
      _ = write(3, bytes, bytes.count)
      if andGo { _exit(0) }
      sleep(1000)
    }

    DAG("ready") { SwiftOperator("forge") { _ in forge([1, 0, 0, 0, 0]) } }
    DAG("nonsense") { SwiftOperator("forge") { _ in forge([1, 0, 0, 0, 99]) } }
    DAG("endless") { SwiftOperator("forge") { _ in forge([255, 255, 255, 255, 0]) } }
    DAG("text") { SwiftOperator("forge") { _ in forge(report(run: 4, output: "{", from: 0, to: 1)) } }
    DAG("dates") { SwiftOperator("forge") { _ in forge(report(run: 5, output: "1", from: .min, to: .max), andGo: true) } }
    DAG("other") { BashOperator("a", "true") }
    """

  @Test func `fails, or is believed as far as it can be, and stops nobody`() async throws {
    let harness = try EngineHarness(["forge.swift": Self.file])
    let engine = try await harness.start(graceSeconds: 0.1)
    let control = EngineControl(engine)
    for (number, dagID) in ["ready", "nonsense", "endless", "text"].enumerated() {
      let run = try await harness.trigger(dagID, control)
      #expect(run.number == Int64(number + 1))
      #expect(try await control.end(of: run.number).state == .failed, "\(dagID)")
    }
    let run = try await harness.trigger("dates", control)
    let end = try await control.end(of: run.number)
    #expect(end.state == .success)
    let other = try await harness.trigger("other", control)
    #expect(try await control.end(of: other.number).state == .success)
    await engine.waitUntilIdle()
    await engine.stop()
  }
}

/// What a program could write to the control socket.
@Suite struct `Requests with any numbers` {
  @Test func `stop nobody`() async throws {
    let harness = try EngineHarness([
      "a.swift": """
      import Dagrun
      DAG("a") { BashOperator("t", "true").pool("p") }
      """
    ])
    let engine = try await harness.start()
    let control = EngineControl(engine)
    let moment = Timestamp(microseconds: 1_800_000_000_000_000)
    var backfill = BackfillParameters(dagID: "a", fromDate: moment, toDate: moment)
    backfill.maxActiveRuns = 3
    let requests: [ControlRequest] = [
      .trigger(dagID: "a", runID: nil, logicalDate: moment, conf: "{}"), .backfill(backfill),
      .cancelBackfill(number: 5),
      .setPool(name: "p", slots: 4, documentation: "", includeDeferred: false),
    ]
    for request in requests {
      let text = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
      let places = text.matches(of: /-?[0-9]+/).map(\.range).filter {
        $0.lowerBound != text.startIndex && text[text.index(before: $0.lowerBound)] == ":"
      }
      for place in places {
        for number in FuzzSource.integers.map(String.init) + ["1e19", "-1e300", "0.5"] {
          var changed = text
          changed.replaceSubrange(place, with: number)
          guard let decoded = try? JSONDecoder().decode(ControlRequest.self, from: Data(changed.utf8)) else { continue }
          _ = try? await control.send(decoded)
        }
      }
    }
    guard case .status = try await control.send(.ping) else {
      Issue.record("no status")
      return
    }
    await engine.stop()
  }
}
