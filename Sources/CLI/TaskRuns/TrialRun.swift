import Dagrun
import Scheduling
import Storage
import Model

/// One task of a DAG for a date, without the run: what `tasks render` and `tasks run` work on.
struct TrialRun {
  let dag: DAGDescription
  let task: TaskDescription
  /// The context of the run of that date, where there is one, or what a manual run of that date would have.
  let context: RunContext
  var tryNumber = 1
  /// Of the tasks upstream, by their id, as JSON: from the run of that date, or else from the newest run that has it.
  let outputs: [String: String]
  /// Tasks of which it is known that they have handed nothing on, such as those that were skipped.
  var without: Set<String> = []

  init(
    dag: DAGDescription, task: TaskDescription, context: RunContext, tryNumber: Int, outputs: [String: String],
    without: Set<String>
  ) {
    self.dag = dag
    self.task = task
    self.context = context
    self.tryNumber = tryNumber
    self.outputs = outputs
    self.without = without
  }

  /// - Parameter conf: nil: that of the run of that date, or none.
  init(_ task: TaskDescription, of dag: DAGDescription, at date: Timestamp, conf: String?, in workspace: Workspace)
    throws
  {
    self.dag = dag
    self.task = task
    let reader = try workspace.reader()
    let run = try reader?.listRuns(RunFilter(dagID: dag.id, fromDate: date, toDate: date, limit: 1)).first
    let previous = try reader?.previousSuccessfulRun(dagID: dag.id, before: date)
    context = RunContext(
      dagID: dag.id, runID: run?.runID ?? "manual__\(date.iso8601)", logicalDate: date,
      dataIntervalStart: run?.dataInterval?.start, dataIntervalEnd: run?.dataInterval?.end,
      runAfter: run?.runAfter ?? date, previousSuccessStart: previous?.effectiveInterval?.start,
      previousSuccessEnd: previous?.effectiveInterval?.end,
      parameters: try Self.parameters(of: dag, conf: conf ?? run?.conf ?? "{}"),
      variables: try workspace.variableValues())

    var outputs: [String: String] = [:]
    var missing = task.upstream
    let newest = try reader?.listRuns(RunFilter(dagID: dag.id, limit: 100)) ?? []
    for run in [run].compactMap(\.self) + newest where !missing.isEmpty {
      outputs.merge(try reader?.outputs(run: run.number, missing) ?? [:]) { $1 }
      missing.removeAll { outputs[$0] != nil }
    }
    self.outputs = outputs
  }

  static func parameters(of dag: DAGDescription, conf: String) throws -> [String: JSONValue] {
    do {
      return try dag.resolveParameters(conf: conf)
    } catch {
      throw Complaint(.wrongUsage, "\(error)", hint: "'dagrun dags details \(dag.id)' shows the parameters")
    }
  }

  /// - Parameter standIns: to be shown, not run: a name stands where an output is not there, which is an error otherwise,
  ///   and a mask where a variable holds a secret.
  func render(_ template: Template, for context: Template.Context, standIns: Bool) throws -> String {
    var outputs = outputs
    var shown = self.context
    if standIns {
      for name in shown.variables.keys where SensitiveName.isSensitive(name) {
        shown.variables[name] = SensitiveName.mask
      }
      for id in task.upstream where outputs[id] == nil { outputs[id] = "\"<output of \(id)>\"" }
    }
    var values = Template.Values(run: shown, taskID: task.id, tryNumber: tryNumber, outputs: outputs)
    values.isShown = standIns
    do {
      return try template.render(values, for: context)
    } catch let error as RenderError {
      throw Complaint(.wrongUsage, "task \(task.id): \(error)")
    }
  }
}

extension DAGDescription {
  /// - Throws: exit code 3.
  func task(_ taskID: String) throws -> TaskDescription {
    if let task = tasks.first(where: { $0.id == taskID }) { return task }
    throw Complaint(
      notFound: "task", taskID, among: tasks.map(\.id), hint: "'dagrun tasks list \(id)' lists those of \(id)")
  }
}
