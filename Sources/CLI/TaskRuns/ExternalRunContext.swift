import Clash
import Dagrun
import Foundation

/// `tasks run --context`: what another scheduler knows of a task's run, as a JSON object. All but `run_id` may be left
/// out.
///
///     {"run_id": "manual__1", "logical_date": "2026-01-31T00:00:00+00:00", "try_number": 2, "conf": {"region": "eu"},
///      "outputs": {"count_rows": 3}, "job": {"name": "nightly-train-3fk2", "attempt": 1}}
struct ExternalRunContext: Hashable, Sendable {
  var runID: String
  var logicalDate: Timestamp?
  var dataIntervalStart: Timestamp?
  var dataIntervalEnd: Timestamp?
  var runAfter: Timestamp?
  /// From 1.
  var tryNumber = 1
  var conf: [String: JSONValue] = [:]
  /// Task id -> what it has handed on; null of a task that has nothing to hand on.
  var outputs: [String: JSONValue] = [:]
  var previousSuccessStart: Timestamp?
  var previousSuccessEnd: Timestamp?
  /// Only a job's task has use for it.
  var job: JobOfTask?

  /// What the task's job is called, so that another try finds it again.
  struct JobOfTask: Hashable, Sendable {
    var name: String
    var attempt: Int
  }

  /// - Parameter source: a file's path, or `-` for standard input.
  static func read(from source: String) throws -> ExternalRunContext {
    let place = source == "-" ? "on standard input" : "in \(source)"
    let data = try JobSpecFile.contents(of: source)
    guard data.contains(where: { !Character(UnicodeScalar($0)).isWhitespace }) else {
      throw UserError(.wrongUsage, "there is no context \(place)", hint: "the least is: {\"run_id\": \"manual__1\"}")
    }
    do {
      return try JSONDecoder().decode(ExternalRunContext.self, from: data)
    } catch let error as DecodingError {
      throw UserError(
        .wrongUsage, "what is \(place) is not a context: \(error.inWords)",
        hint: "'dagrun tasks run --help' lists the keys")
    }
  }
}

extension ExternalRunContext: Decodable {
  private enum Key: String, CodingKey, CaseIterable {
    case runID = "run_id"
    case logicalDate = "logical_date"
    case dataIntervalStart = "data_interval_start"
    case dataIntervalEnd = "data_interval_end"
    case runAfter = "run_after"
    case tryNumber = "try_number"
    case conf, outputs
    case previousSuccessStart = "previous_success_start"
    case previousSuccessEnd = "previous_success_end"
    case job
  }

  init(from decoder: any Decoder) throws {
    let reader = try KeyedReader(decoder, keys: Key.self)
    func date(_ key: Key) throws -> Timestamp? {
      guard let text = try reader.read(key, as: String.self, "a date such as \"2026-01-31T00:00:00+00:00\"") else {
        return nil
      }
      guard let date = Timestamp(iso8601: text) else {
        throw reader.problem(key, "\"\(text)\" is not a date; write 2026-01-31T00:00:00+00:00")
      }
      return date
    }
    runID = try reader.require(.runID, "the run's id")
    if runID.isEmpty { throw reader.problem(.runID, "it is empty") }
    logicalDate = try date(.logicalDate)
    dataIntervalStart = try date(.dataIntervalStart)
    dataIntervalEnd = try date(.dataIntervalEnd)
    runAfter = try date(.runAfter)
    tryNumber = try reader.read(.tryNumber, "a whole number from 1") ?? 1
    if tryNumber < 1 || tryNumber > Int(UInt32.max) {
      throw reader.problem(.tryNumber, "expected a whole number from 1")
    }
    conf = try reader.read(.conf, "an object: parameter -> value") ?? [:]
    outputs = try reader.read(.outputs, "an object: task -> output") ?? [:]
    previousSuccessStart = try date(.previousSuccessStart)
    previousSuccessEnd = try date(.previousSuccessEnd)
    job = try reader.read(.job, "an object with name and attempt")
  }
}

extension ExternalRunContext.JobOfTask: Decodable {
  private enum Key: String, CodingKey, CaseIterable { case name, attempt }

  init(from decoder: any Decoder) throws {
    let reader = try KeyedReader(decoder, keys: Key.self)
    name = try reader.require(.name, "how the job's name begins")
    attempt = try reader.read(.attempt, "a whole number from 1") ?? 1
    if attempt < 1 { throw reader.problem(.attempt, "expected a whole number from 1") }
    if let problem = JobSeries(base: name, number: attempt).problem { throw reader.problem(.name, problem) }
  }
}

extension TaskRehearsal {
  /// Of a run that another scheduler has.
  init(
    _ task: TaskDescription, of dag: DAGDescription, given: ExternalRunContext, in workspace: Workspace, now: Timestamp
  ) throws {
    let context = RunContext(
      dagID: dag.id, runID: given.runID, logicalDate: given.logicalDate, dataIntervalStart: given.dataIntervalStart,
      dataIntervalEnd: given.dataIntervalEnd, runAfter: given.runAfter ?? given.logicalDate ?? now,
      previousSuccessStart: given.previousSuccessStart, previousSuccessEnd: given.previousSuccessEnd,
      parameters: try Self.parameters(of: dag, conf: JSONValue.object(given.conf).jsonText),
      variables: try workspace.variableValues())
    if let missing = task.readOutputs.first(where: { given.outputs[$0] == nil }) {
      throw UserError(
        .wrongUsage, "\(task.id) needs the output of \(missing), and the context has none",
        hint: "put it into \"outputs\"; null, where \(missing) has handed nothing on")
    }
    let outputs = given.outputs.filter { $0.value != .null }.mapValues(\.jsonText)
    self.init(
      dag: dag, task: task, context: context, tryNumber: given.tryNumber, outputs: outputs,
      without: Set(given.outputs.keys).subtracting(outputs.keys))
  }
}
