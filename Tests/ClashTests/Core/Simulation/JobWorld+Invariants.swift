import Dagrun
import Foundation
import GoogleCloud
import Model

@testable import Clash

extension JobWorld {
  func checkAlways() throws {
    if let violation = truth.violation { throw violation }
    let ours = cloud.groups.values.filter(\.isOurs)
    guard ours.count <= 1 else { throw Violation("two groups: \(ours.map(\.name).sorted())") }
    guard let stored = driver.journal, let job = driver.job else { return }
    if steps % 7 == 0 {
      guard try Job(restoring: stored) == job else { throw Violation("the journal has another job") }
    }
  }

  func checkCall(_ request: CallRequest) throws {
    if !truth.stored.isEmpty, !request.call.isRemoval {
      throw Violation("\(request.call.verb) after the result was stored")
    }
    if weather.isResultFinal, case .makeGroup(let plan) = request.call,
      let ending = truth.endings.first(where: { $0.attempt < plan.number })
    {
      throw Violation("group \(plan.number) is asked for though attempt \(ending.attempt) has published its result")
    }
    if let other = truth.requestIDs.updateValue(request.call, forKey: request.requestID), other != request.call {
      throw Violation("one requestId for two calls")
    }
  }

  func checkAtEnd() throws {
    guard let job = driver.job, let outcome = job.outcome else { throw Violation("the job has not ended") }
    if driver.outcomes.values.allSatisfy({ $0.hasEndedElsewhere }) {
      throw Violation("each home says that another has it")
    }
    for (home, outcome) in driver.outcomes.sorted(by: { $0.key < $1.key }) { try check(outcome, of: home) }
    let leftBehind = driver.outcomes.values.flatMap(\.leftBehind)
    for thing in cloud.inventory() where !leftBehind.contains(where: { $0.hasPrefix(thing) }) {
      throw Violation("\(thing) is left and not named: \(leftBehind)")
    }
    guard job.attempts.allSatisfy({ $0.ending != nil && $0.endedAt != nil }) else {
      throw Violation("an attempt has no end: \(job.attempts)")
    }
    try checkLog(outcome)
  }

  private func check(_ outcome: JobOutcome, of home: Int) throws {
    switch outcome.ending {
    case .exited(let status):
      guard truth.endings.contains(where: { $0.status == status }) else {
        throw Violation("no container ended with \(status)")
      }
    case .cancelled: guard truth.wasCancelled else { throw Violation("cancelled by nobody") }
    case .timedOut: guard weather.timeoutSeconds != nil else { throw Violation("timed out without a limit") }
    case .infrastructure: break
    }
    if let status = truth.stored[home], outcome.ending != .exited(status: status) {
      throw Violation("the result was \(status), and the job says \(outcome.ending)")
    }
    if weather.irremovable.isEmpty, weather.foreignResource == nil, weather.lostRequests < 20,
      !outcome.leftBehind.isEmpty,
      weather.jumpsOfClock == 0, weather.lostAnswers < 20
    {
      throw Violation("left behind without a reason: \(outcome.leftBehind)")
    }
  }

  /// Each VM's records once, in order; what is missing is marked with its length.
  private func checkLog(_ outcome: JobOutcome) throws {
    var text = String(decoding: driver.logFile, as: UTF8.self)[...]
    var next: [Character: Int] = [:]
    var missing = 0
    while let first = text.first {
      if first == "\n" { text.removeFirst() }
      if text.hasPrefix("[dagrun: ") {
        let line = text.prefix { $0 != "\n" }
        missing += Int(line.split(separator: " ")[1]) ?? -1
        text = text.dropFirst(line.count + 1)
        continue
      }
      let record = text.prefix(4)
      guard record.count == 4, let number = Int("1" + record.dropFirst()) else {
        throw Violation("the log has \(text.prefix(20).debugDescription)")
      }
      let expected = next[first, default: 0] + missing / 4
      guard number == 1000 + expected else { throw Violation("the log has \(record) instead of \(expected)") }
      missing = 0
      next[first] = expected + 1
      text = text.dropFirst(4)
    }
    guard case .exited = outcome.ending else { return }
    guard truth.endings.contains(where: { next[Character($0.boot), default: 0] == $0.logRecords }) else {
      throw Violation("the log has not all of its end")
    }
  }
}
