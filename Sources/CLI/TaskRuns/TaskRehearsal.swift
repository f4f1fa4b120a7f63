import DagBag
import Dagrun
import Model
import Preparation
import Storage

/// One task of a DAG for a date, without the run: what `tasks render` and `tasks run` work on.
struct TaskRehearsal {
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
    let manual = DAGRun(
      number: 0, dagID: dag.id, runID: RunIDs.manual(date), type: .manual, state: .running, logicalDate: date,
      dataInterval: nil, runAfter: date, queuedAt: date, conf: "{}", version: "")
    context = RunContext(
      of: run ?? manual, previous: previous, parameters: try Self.parameters(of: dag, conf: conf ?? run?.conf ?? "{}"),
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
      throw UserError(.wrongUsage, "\(error)", hint: "'dagrun dags details \(dag.id)' shows the parameters")
    }
  }

  private var values: Template.Values {
    Template.Values(run: context, taskID: task.id, tryNumber: tryNumber, outputs: outputs)
  }

  /// To be shown, not run.
  func shown() throws -> RenderedTask {
    do {
      return try RenderedTask(task, values.shown(for: task))
    } catch let error as RenderError {
      throw UserError(.wrongUsage, "task \(task.id): \(error)")
    }
  }

  func facts(_ file: DAGFile, home: Home) -> RunFacts {
    RunFacts(
      context: context, logFolder: home.logFolder(dagID: dag.id, runID: context.runID), library: file.libraryPath,
      entry: file.entry, readTaskIDs: [task.id])
  }

  /// - Returns: nil for a task without work of its own.
  func workload(_ facts: RunFacts, dagsFolder: String) throws -> TaskWorkload? {
    // A closure that takes an optional gets nil of a task that has handed nothing on.
    if let missing = task.inputs.first(where: { outputs[$0] == nil && !without.contains($0) }) {
      throw UserError(
        .wrongUsage, "\(task.id) needs the output of \(missing), and no run of \(dag.id) has one yet",
        hint: "run it once: dagrun trigger \(dag.id)")
    }
    do {
      return try TaskPreparer(dagsFolder: dagsFolder).prepare(
        task, TryKey(run: 1, taskID: task.id, number: tryNumber), facts, TaskInputs(outputs: outputs))
    } catch {
      throw UserError(.wrongUsage, "task \(task.id): \(error)")
    }
  }
}

extension DAGDescription {
  /// - Throws: exit code 3.
  func task(_ taskID: String) throws -> TaskDescription {
    if let task = tasks.first(where: { $0.id == taskID }) { return task }
    throw UserError(
      notFound: "task", taskID, among: tasks.map(\.id), hint: "'dagrun tasks list \(id)' lists those of \(id)")
  }
}
