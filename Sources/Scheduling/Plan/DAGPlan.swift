package import Dagrun

/// A DAG as the scheduler reads it: tasks by position, with what each waits for and what waits for it. Immutable, and
/// shared by all runs that are on the same version.
package final class DAGPlan: Sendable {
  package let description: DAGDescription
  /// Content hash of the compiled file.
  package let version: String
  package let dagID: String
  /// Only tasks whose whole id matches are in the plan; nil: all. Edges from other tasks do not count.
  package let taskRegex: String?
  /// By position.
  package let taskIDs: [String]
  /// `description.maxActiveTasks`, at least 1.
  let maxActiveTasks: Int
  /// Own weight and that of the relatives that the task's weight rule counts.
  package let priorities: [Int64]

  /// Those whose outputs others read.
  package let readTaskIDs: Set<String>

  let tasks: [PlannedTask]
  let upstream: Adjacency
  let downstream: Adjacency
  let poolNames: [String]
  /// Tasks with `dependsOnPast`.
  let pastTaskIDs: [String]
  let constraints: [Int32: SetupConstraint]
  /// By position of a task: those that have it in their `SetupConstraint`.
  let watchers: [Int32: [Int32]]
  private let positions: [String: Int32]

  package convenience init(_ description: DAGDescription, version: String) {
    self.init(description, version: version, taskRegex: nil)
  }

  private init(_ description: DAGDescription, version: String, taskRegex: String?) {
    self.description = description
    self.version = version
    self.taskRegex = taskRegex
    dagID = description.id
    maxActiveTasks = NumberBound.maxActiveTasks.clamp(description.maxActiveTasks)
    taskIDs = description.tasks.map(\.id)
    var positions: [String: Int32] = [:]
    positions.reserveCapacity(taskIDs.count)
    for (position, id) in taskIDs.enumerated() { positions[id] = Int32(position) }
    self.positions = positions
    upstream = Adjacency(description.tasks.map { Self.upstreamPositions(of: $0, positions) })
    downstream = upstream.reversed
    pastTaskIDs = description.tasks.filter(\.dependsOnPast).map(\.id)
    readTaskIDs = Self.readTaskIDs(of: description.tasks)

    var poolNames: [String] = []
    var tasks: [PlannedTask] = []
    tasks.reserveCapacity(taskIDs.count)
    for task in description.tasks {
      let pool: Int
      if let known = poolNames.firstIndex(of: task.pool) {
        pool = known
      } else {
        pool = poolNames.count
        poolNames.append(task.pool)
      }
      tasks.append(PlannedTask(task, pool: Int32(pool)))
    }
    self.poolNames = poolNames

    let setups = SetupConstraints(tasks: tasks, upstream: upstream, downstream: downstream)
    constraints = setups.constraints
    watchers = setups.watchers
    for position in constraints.keys { tasks[Int(position)].isConstrained = true }
    for position in Self.excludable(description.tasks, downstream) { tasks[Int(position)].isExcludable = true }
    for position in watchers.keys { tasks[Int(position)].isWatched = true }
    for position in Self.decidingTasks(description.tasks, tasks, downstream) { tasks[position].decidesRun = true }
    self.tasks = tasks
    priorities = Self.priorities(of: description.tasks, downstream, upstream)
  }

  private static func readTaskIDs(of tasks: [TaskDescription]) -> Set<String> {
    var all: Set<String> = []
    for task in tasks {
      for id in task.inputs { all.insert(id) }
      for template in task.templates { all.formUnion(template.usedOutputs) }
    }
    return all
  }

  package func position(of taskID: String) -> Int? { positions[taskID].map(Int.init) }

  package var count: Int { taskIDs.count }

  /// The plan of those tasks only whose whole id matches, as though the DAG had no others. nil: `regex` is not a
  /// regular expression.
  package func selecting(_ regex: String) throws(BoundedRegex.TooManySteps) -> DAGPlan? {
    guard let pattern = BoundedRegex(regex) else { return nil }
    let taskIDs = Set(try pattern.matching(taskIDs, whole: true))
    return selecting(description.tasks.filter { taskIDs.contains($0.id) }, by: regex)
  }

  private func selecting(_ tasks: [TaskDescription], by regex: String) -> DAGPlan {
    var selected = description
    selected.tasks = tasks
    return DAGPlan(selected, version: version, taskRegex: regex)
  }

  /// The plan for a regular expression that was stored with a run or a backfill. It was checked before, so that it can
  /// be matched; one that cannot selects nothing: no task runs that nobody asked for.
  func selectingAsStored(_ regex: String) -> DAGPlan {
    (try? selecting(regex)) ?? selecting([], by: regex)
  }

  private static func upstreamPositions(of task: TaskDescription, _ positions: [String: Int32]) -> [Int32] {
    var ids = task.upstream
    if case .teardown(let setups, _) = task.role { ids += setups.filter { !ids.contains($0) } }
    return ids.compactMap { positions[$0] }
  }

  /// The leaves, as Airflow sees them: a teardown whose failure does not count is looked through.
  private static func decidingTasks(
    _ descriptions: [TaskDescription], _ tasks: [PlannedTask], _ downstream: Adjacency
  ) -> [Int] {
    func isIgnored(_ position: Int) -> Bool {
      if case .teardown(_, let failsRun) = descriptions[position].role { return !failsRun }
      return false
    }
    let leaves = tasks.indices.filter { position in
      !isIgnored(position) && downstream[position].allSatisfy { isIgnored(Int($0)) }
    }
    // A DAG of nothing but teardowns.
    return leaves.isEmpty ? tasks.indices.filter { downstream.degree(of: $0) == 0 } : leaves
  }

  private static func priorities(
    of tasks: [TaskDescription], _ downstream: Adjacency, _ upstream: Adjacency
  ) -> [Int64] {
    let weights = PriorityWeights(
      weights: tasks.map { Int64(NumberBound.priority.clamp($0.priorityWeight)) }, downstream: downstream,
      upstream: upstream,
      order: downstream.topologicalOrder(upstream: upstream))
    var totals: [WeightRule: [Int64]] = [:]
    for rule in WeightRule.allCases where tasks.contains(where: { $0.weightRule == rule }) {
      totals[rule] = weights.total(rule)
    }
    return tasks.indices.map { totals[tasks[$0].weightRule]![$0] }
  }
}
