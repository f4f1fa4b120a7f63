package import Dagrun

/// A run with all its task instances, in the order of the plan; after them those that the plan does not have (they are
/// `removed`, or a backfill of some tasks took over a run that had more), by id.
package struct RunSnapshot: Hashable, Sendable {
  package var run: DAGRun
  package var tasks: [TaskInstance]
  /// What tasks have chosen of the tasks below them, by their ids.
  package var choices: [String: DownstreamChoice]

  package init(run: DAGRun, tasks: [TaskInstance], choices: [String: DownstreamChoice] = [:]) {
    self.run = run
    self.tasks = tasks
    self.choices = choices
  }
}
