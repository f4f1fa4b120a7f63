package import Dagrun

/// A task's templates with their values put in. The only place that renders them: whether it is run, by the scheduler
/// or alone, or shown to a person.
package struct RenderedTask: Hashable, Sendable {
  /// Of a shell task.
  package var script: String?
  /// Its own variables, without those that every task gets (`TaskVariables`).
  package var environment: [String: String]
  /// As the author wrote it: it may be relative to the folder of DAG files.
  package var workingDirectory: String?
  /// Of a task of jobs.
  package var jobs: [JobSpec] = []

  /// - Throws: `RenderError` when a value does not exist, or cannot be quoted where it stands.
  package init(_ task: TaskDescription, _ values: Template.Values) throws {
    switch task.work {
    case .empty, .swift: break
    case .bash(let template): script = try template.render(values, for: .shell)
    case .computeEngineJob(let job):
      jobs = try job.specs.map { spec in try spec.render(job.job) { try $0.render(values, for: $1) } }
    }
    environment = try task.environment.mapValues { try $0.render(values, for: .plain) }
    workingDirectory = try task.workingDirectory.map { try $0.render(values, for: .plain) }
  }
}

extension Template.Values {
  /// To be shown to a person: a name stands where an output is not there, and a mask where a variable holds a secret.
  package func shown(for task: TaskDescription) -> Template.Values {
    var shown = self
    for name in run.variables.keys where SensitiveName.isSensitive(name) {
      shown.run.variables[name] = SensitiveName.mask
    }
    for id in task.upstream where outputs[id] == nil { shown.outputs[id] = "\"<output of \(id)>\"" }
    shown.isShown = true
    return shown
  }
}
