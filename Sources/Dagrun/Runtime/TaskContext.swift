public import Foundation

/// What a Swift task knows of its run.
public struct TaskContext: Sendable {
  package var run: RunContext
  /// Of this task.
  public package(set) var taskID: String
  /// From 1.
  public let tryNumber: Int
  /// The states of tasks whose outputs it takes and that have none, by their ids.
  package var missingOutputs: [String: String]

  package init(run: RunContext, taskID: String, tryNumber: Int, missingOutputs: [String: String] = [:]) {
    self.run = run
    self.taskID = taskID
    self.tryNumber = tryNumber
    self.missingOutputs = missingOutputs
  }

  public var dagID: String { run.dagID }
  public var runID: String { run.runID }

  /// The moment that the run is about; of a manual run which was given none, when it was triggered.
  public var logicalDate: Date { run.effectiveLogicalDate.date }
  /// The logical date as `2026-01-31` (UTC).
  public var ds: String { run.effectiveLogicalDate.isoDate }
  /// The logical date as `20260131`.
  public var dsNodash: String { run.effectiveLogicalDate.compactDate }
  /// The logical date as `2026-01-31T00:00:00+00:00`.
  public var ts: String { run.effectiveLogicalDate.iso8601 }
  /// The logical date as `20260131T000000`.
  public var tsNodash: String { run.effectiveLogicalDate.compactDateTime }
  /// Of a run without an interval: its logical date.
  public var dataIntervalStart: Date { (run.dataIntervalStart ?? run.effectiveLogicalDate).date }
  /// Of a run without an interval: its logical date.
  public var dataIntervalEnd: Date { (run.dataIntervalEnd ?? run.effectiveLogicalDate).date }
  /// Of the DAG's last successful run before this one.
  public var previousSuccessDataIntervalStart: Date? { run.previousSuccessStart?.date }
  public var previousSuccessDataIntervalEnd: Date? { run.previousSuccessEnd?.date }

  /// The run's parameters: `try context.params.int("count")`.
  public var params: Params { Params(values: run.parameters) }
  /// Set with `dagrun variables set`.
  public var variables: [String: String] { run.variables }

  /// A variable that has to be there.
  public func variable(_ name: String) throws -> String {
    guard let value = run.variables[name] else {
      throw TaskFailure("there is no variable \"\(name)\"; set it with: dagrun variables set \(name) VALUE")
    }
    return value
  }

  /// Writes lines to the task's log.
  public var log: TaskLog { TaskLog() }
}

extension RunContext {
  /// What `ds` and `ts` are made of, so that they exist in every run.
  package var effectiveLogicalDate: Timestamp { logicalDate ?? runAfter }
}

/// Throw it to end the task as failed, without another try.
public struct TaskFailure: Error, Sendable {
  public let reason: String

  public init(_ reason: String) { self.reason = reason }
}

/// Throw it to end the task as skipped.
public struct TaskSkip: Error, Sendable {
  public let reason: String

  public init(_ reason: String = "") { self.reason = reason }
}

extension TaskFailure: CustomStringConvertible {
  public var description: String { reason }
}

extension TaskSkip: CustomStringConvertible {
  public var description: String { reason }
}

/// The parameters of a run, each read as the type the DAG declares it with. Asking for one that is not there, or as
/// another type, fails the task for good: another try would not find it either.
public struct Params: Sendable {
  let values: [String: JSONValue]

  public func string(_ name: String) throws -> String {
    if case .string(let value) = try value(name) { return value }
    throw mismatch(name, "a text")
  }

  public func int(_ name: String) throws -> Int {
    if case .int(let value) = try value(name) { return Int(value) }
    throw mismatch(name, "a whole number")
  }

  public func double(_ name: String) throws -> Double {
    switch try value(name) {
    case .double(let value): return value
    case .int(let value): return Double(value)
    default: throw mismatch(name, "a number")
    }
  }

  public func bool(_ name: String) throws -> Bool {
    if case .bool(let value) = try value(name) { return value }
    throw mismatch(name, "true or false")
  }

  public func date(_ name: String) throws -> Date {
    if case .string(let text) = try value(name), let timestamp = Timestamp(iso8601: text) { return timestamp.date }
    throw mismatch(name, "a date")
  }

  /// Lists, and keys that the DAG does not declare: any Decodable type.
  public func value<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
    let json = try value(name)
    do {
      return try ValueCoding.decode(type, from: Data(json.jsonText.utf8))
    } catch {
      throw mismatch(name, "a \(type)")
    }
  }

  /// Whether the run has it at all.
  public func contains(_ name: String) -> Bool { values[name] != nil }

  private func value(_ name: String) throws -> JSONValue {
    if let value = values[name] { return value }
    let hint = Identifier.closest(to: name, in: values.keys).map { "; did you mean \"\($0)\"?" } ?? ""
    throw TaskFailure("the run has no parameter \"\(name)\"\(hint)")
  }

  private func mismatch(_ name: String, _ wanted: String) -> TaskFailure {
    TaskFailure("parameter \"\(name)\" is \(values[name]?.jsonText ?? "missing"), not \(wanted)")
  }
}

/// Writes lines with the time and the level to standard output, which is the task's log.
public struct TaskLog: Sendable {
  public func debug(_ message: @autoclosure () -> String) { write("DEBUG", message()) }
  public func info(_ message: @autoclosure () -> String) { write("INFO", message()) }
  public func warning(_ message: @autoclosure () -> String) { write("WARNING", message()) }
  public func error(_ message: @autoclosure () -> String) { write("ERROR", message()) }

  private func write(_ level: String, _ message: String) {
    // Through the same buffer as the task's own prints, which keeps their order; flushed, for whoever follows the log.
    print("[\(Timestamp(Date()).iso8601)] \(level) \(message)")
    fflush(nil)
  }
}
