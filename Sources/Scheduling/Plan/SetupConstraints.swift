import Dagrun

/// Finds out, once a plan, which setups hold which tasks, and what each teardown waits for. As Airflow's
/// `get_upstreams_only_setups` and `_evaluate_teardown_scope`.
struct SetupConstraints {
  private(set) var constraints: [Int32: SetupConstraint] = [:]
  private(set) var watchers: [Int32: [Int32]] = [:]

  init(tasks: [PlannedTask], upstream: Adjacency, downstream: Adjacency) {
    for setup in tasks.indices where tasks[setup].isSetup {
      holdTasks(of: setup, tasks, upstream, downstream)
    }
    for teardown in tasks.indices where tasks[teardown].isTeardown {
      scopeTeardown(teardown, tasks, upstream, downstream)
    }
    for task in tasks.indices where tasks[task].rule == .allDoneSetupSuccess && !tasks[task].isTeardown {
      let setups = Set(upstream[task]).filter { tasks[Int($0)].isSetup }.sorted()
      if !setups.isEmpty { constraints[Int32(task), default: .init()].directSetups = setups }
    }
    for (position, constraint) in constraints.sorted(by: { $0.key < $1.key }) {
      for watched in constraint.indirectSetups + constraint.scope { watchers[watched, default: []].append(position) }
    }
  }

  /// A setup holds what is between it and its teardowns, and everything below it when it has none.
  private mutating func holdTasks(
    of setup: Int, _ tasks: [PlannedTask], _ upstream: Adjacency, _ downstream: Adjacency
  ) {
    let direct = Set(downstream[setup])
    let teardowns = direct.filter { tasks[Int($0)].isTeardown }.sorted()
    var held = Set(downstream.reachable(from: setup))
    if !teardowns.isEmpty {
      held.formIntersection(teardowns.flatMap { upstream.reachable(from: Int($0)) })
    }
    for position in held.sorted() where !direct.contains(position) && !tasks[Int(position)].isTeardown {
      constraints[position, default: .init()].indirectSetups.append(Int32(setup))
    }
  }

  private mutating func scopeTeardown(
    _ teardown: Int, _ tasks: [PlannedTask], _ upstream: Adjacency, _ downstream: Adjacency
  ) {
    let direct = Set(upstream[teardown])
    let setups = direct.filter { tasks[Int($0)].isSetup }.sorted()
    let below = Set(setups.flatMap { downstream.reachable(from: Int($0)) })
    let scope = upstream.reachable(from: teardown).filter { !direct.contains($0) && below.contains($0) }
    var constraint = constraints[Int32(teardown)] ?? .init()
    constraint.directSetups = setups
    constraint.scope = scope.sorted()
    constraints[Int32(teardown)] = constraint
  }
}
