/// A run with all its task instances, in the order of the plan; after them those that the plan does not have (they are
/// `removed`, or a backfill of some tasks took over a run that had more), by id.
package struct RunSnapshot: Hashable, Sendable {
  package var run: DAGRun
  package var tasks: [TaskInstance]

  package init(run: DAGRun, tasks: [TaskInstance]) {
    self.run = run
    self.tasks = tasks
  }
}
