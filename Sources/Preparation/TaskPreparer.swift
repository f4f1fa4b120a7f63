package import Dagrun
package import Model

/// What is the same for all tasks of a run.
package struct RunFacts: Sendable {
  package var context: RunContext
  /// The folder of its logs; absolute.
  package var logFolder: String
  /// The compiled DAG file, and the function that is its top-level code.
  package var library: String
  package var entry: String
  /// Tasks whose outputs other tasks read.
  package var readTaskIDs: Set<String>

  package init(
    context: RunContext, logFolder: String, library: String, entry: String, readTaskIDs: Set<String> = []
  ) {
    self.context = context
    self.logFolder = logFolder
    self.library = library
    self.entry = entry
    self.readTaskIDs = readTaskIDs
  }
}

/// What the tasks upstream have handed on to a try.
package struct TaskInputs: Hashable, Sendable {
  /// Task id -> its output as JSON text.
  package var outputs: [String: String]
  /// The states of tasks that have none, by their ids.
  package var missing: [String: String]

  package init(outputs: [String: String] = [:], missing: [String: String] = [:]) {
    self.outputs = outputs
    self.missing = missing
  }
}

/// Why a try cannot be given to an executor, in words. Another try would find the same.
package struct PreparationError: Error, Hashable, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}

/// Makes a workload of a task: the only place that decides what a try is given. Pure; values of outputs and variables
/// come with the call.
package struct TaskPreparer: Sendable {
  /// Where a working directory begins that is not absolute.
  package var dagsFolder: String

  package init(dagsFolder: String) { self.dagsFolder = dagsFolder }

  /// - Returns: nil for a task without work of its own.
  package func prepare(
    _ task: TaskDescription, _ key: TryKey, _ run: RunFacts, _ inputs: TaskInputs
  ) throws(PreparationError) -> TaskWorkload? {
    let rendered: RenderedTask
    do {
      rendered = try RenderedTask(
        task,
        Template.Values(
          run: run.context, taskID: task.id, tryNumber: key.number, outputs: inputs.outputs, missing: inputs.missing))
    } catch {
      throw PreparationError("\(error)")
    }
    guard let work = work(of: task, key, run, inputs, rendered) else { return nil }
    guard work.bytes <= TaskWorkload.inputLimitBytes else {
      throw PreparationError(
        "the values that it is given have \(work.bytes) bytes together, and may have \(TaskWorkload.inputLimitBytes): "
          + "hand on files' paths")
    }
    var workload = TaskWorkload(key, work: work)
    workload.outputIsRead = run.readTaskIDs.contains(task.id)
    workload.missingOutputs = inputs.missing
    workload.user = task.runAsUser
    if case .bash(let script) = task.work { workload.hidesScript = script.holdsPrivateValues }
    return workload
  }

  private func work(
    of task: TaskDescription, _ key: TryKey, _ run: RunFacts, _ inputs: TaskInputs, _ rendered: RenderedTask
  ) -> TaskWorkload.Work? {
    switch task.work {
    case .empty: return nil
    case .swift:
      // What was skipped has no output; a closure that takes an optional gets nil.
      return .swift(
        library: run.library, entry: run.entry, inputs: task.inputs.map { inputs.outputs[$0] ?? "null" })
    case .bash:
      return .bash(
        script: rendered.script ?? "",
        environment: TaskVariables.of(run.context, key).merging(rendered.environment) { _, own in own },
        workingDirectory: rendered.workingDirectory.map { $0.hasPrefix("/") ? $0 : dagsFolder + "/" + $0 })
    case .computeEngineJob(let job):
      let variables = TaskVariables.of(run.context, key)
      return .jobs(
        of: job,
        rendered.jobs.map { spec in
          var spec = spec
          spec.environment.merge(variables) { own, _ in own }
          return spec
        })
    }
  }
}
