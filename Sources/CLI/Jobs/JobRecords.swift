import Clash
import Dagrun
import Foundation
import Model
import Presentation
import Storage

extension JobRecord {
  /// - Parameters:
  ///   - request: nil for a job that only another dagrun can read: then what is known without it.
  ///   - state: in words.
  ///   - isForPeople: a cost that is a bound has its sign before it, where a program reads `precision`.
  func record(_ request: JobRequest?, state: String, isForPeople: Bool = false) -> OutputObject {
    let last = request == nil ? nil : attempts.last
    let costs = attempts.compactMap(\.cost)
    let total = request == nil || costs.isEmpty ? nil : costs.reduce(0, +)
    let precision = attempts.map { $0.machineTime(now: Timestamp(Date())).precision }
      .reduce(MachineTime.Precision.exact) { $0.joined(with: $1) }
    return [
      "name": .text(name), "state": .text(state), "project": .text(project), "dag_id": .optional(task?.dagID),
      "dag_run_id": .optional(task?.runID), "task_id": .optional(task?.key.taskID),
      "try_number": .optional(task?.key.number), "image": .optional(request?.spec.config.image),
      "submitted_at": .time(submittedAt), "finished_at": .optional(finishedAt),
      "attempts": request == nil ? .null : .int(attempts.count),
      "zone": .optional(last.map { $0.zone ?? $0.region }), "machine_type": .optional(last?.machineType),
      "spot": last.map { .bool($0.isSpot) } ?? .null, "detached": .bool(isDetached),
      "cost": total.map {
        isForPeople ? .text(precision.sign + JSONText.number(($0 * 10_000).rounded() / 10_000)) : .double($0)
      } ?? .null,
      "precision": .text(precision.rawValue),
      "ledger": request == nil ? .null : .list(attempts.map { .object($0.record) }),
    ]
  }
}

extension JobAttempt {
  var record: OutputObject {
    let time = machineTime(now: Timestamp(Date()))
    return [
      "number": .int(number), "zone": .optional(zone), "region": .text(region), "machine_type": .text(machineType),
      "spot": .bool(isSpot), "requested_at": .time(requestedAt), "machine_started_at": .optional(machineStartedAt),
      "container_started_at": .optional(containerStartedAt), "ended_at": .optional(endedAt),
      "ending": .optional(ending?.rawValue), "cost": .optional(cost),
      "machine_seconds": .double(time.shownSeconds),
      "precision": .text(time.precision.rawValue),
      "machines": machines.map { .list($0.map { .object($0.record) }) } ?? .null,
    ]
  }
}

extension MachineUse {
  /// What is known to the second is given once, a bound as the two moments between which it lies.
  fileprivate var record: OutputObject {
    [
      "name": .optional(name), "id": .optional(id), "zone": .optional(zone), "began_at": .time(began.earliest),
      "began_at_latest": .time(began.latest), "ended_at_earliest": .optional(ended?.earliest),
      "ended_at": .optional(ended?.latest), "exact": .bool(began.isExact && ended?.isExact ?? true),
      "preempted": .bool(wasPreempted),
    ]
  }
}

extension JobOutcome {
  /// Tells the program's own status from everything else: `exit_status` is there only when the program ended by itself.
  ///
  /// - Parameter attempt: which job of its series it is; nil for one that is of none.
  func record(ofJob name: String, attempt: Int?) -> OutputObject {
    var record: OutputObject = ["name": .text(name), "attempt": .optional(attempt)]
    switch ending {
    case .exited(let status):
      record.append("ending", .text("exited"))
      record.append("exit_status", .int(status))
      record.append("failure", .null)
    case .infrastructure(let failure):
      record.append("ending", .text("infrastructure"))
      record.append("exit_status", .null)
      record.append(
        "failure", .object(["kind": .text(failure.kind.rawValue), "message": .text(failure.message)]))
    case .cancelled:
      record.append("ending", .text("cancelled"))
      record.append("exit_status", .null)
      record.append("failure", .null)
    case .timedOut(let seconds):
      record.append("ending", .text("timed_out"))
      record.append("exit_status", .null)
      record.append(
        "failure", .object(["kind": .text("timed_out"), "message": .text("took longer than \(seconds) s")]))
    }
    record.append("result", (try? result.map { try OutputValue(encoding: $0) }) ?? .null)
    record.append("output", .optional(output))
    record.append("left_behind", .list(leftBehind.map(OutputValue.text)))
    return record
  }

  /// One line for a person.
  func sentence(ofJob name: String) -> String {
    switch ending {
    case .exited(0): "job \(name) has succeeded" + circumstances
    case .exited(let status): "job \(name): its program ended with status \(status)" + circumstances
    case .infrastructure(let failure): "job \(name) has failed, not by its program: \(failure.message)"
    case .cancelled: "job \(name) was cancelled"
    case .timedOut(let seconds): "job \(name) took longer than \(Durations.text(seconds)), and was ended"
    }
  }

  private var circumstances: String {
    guard let result else { return "" }
    let sign = result.costBound.flatMap(MachineTime.Precision.init(rawValue:))?.sign ?? ""
    let cost = result.cost.map { ", cost \(sign)\(JSONText.number(($0 * 10_000).rounded() / 10_000))" } ?? ""
    return " after \(Durations.text(result.durationSeconds)) on \(result.machineType) in \(result.zone)"
      + "\(result.isSpot ? " (Spot)" : ""), \(result.attempts == 1 ? "1 attempt" : "\(result.attempts) attempts")\(cost)"
  }

  /// The program's own, or one of dagrun's where the program did not end by itself.
  var exitStatus: CommandExit {
    switch ending {
    case .exited(let status): return CommandExit(rawValue: Int32(truncatingIfNeeded: status & 0xFF))
    case .cancelled: return .jobCancelled
    case .timedOut: return .jobTimedOut
    case .infrastructure(let failure):
      switch failure.kind {
      case .noCapacity, .quota: return .noCapacity
      case .permission, .invalidRequest: return .jobRefused
      case .machine, .network: return .machineLost
      case .imagePull, .containerStart: return .containerNotStarted
      case .commandNotExecutable, .commandNotFound: return .commandNotStarted
      case .inputs, .outputs: return .dataNotMoved
      case .signedOut, .endedElsewhere, .cloud: return .cloudFailed
      }
    }
  }
}
