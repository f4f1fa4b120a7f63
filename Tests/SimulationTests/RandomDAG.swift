import Dagrun

@testable import Scheduling

/// DAGs as no person would write them: all rules, pools, limits and schedules, at random.
enum RandomDAG {
  static func make(_ id: String, _ random: inout SplitMix) -> DAGDescription {
    var dag = DAGDescription(id: id, location: SourceLocation(file: "", line: 0))
    dag.maxActiveRuns = random.pick([1, 2, 3, 16])
    dag.maxActiveTasks = random.pick([1, 2, 4, 16])
    dag.dagrunTimeoutSeconds = random.chance(1, of: 6) ? Double.random(in: 30...600, using: &random).rounded() : nil
    dag.catchup = random.chance(1, of: 3)
    switch Int.random(in: 0..<7, using: &random) {
    case 0: dag.schedule = .once
    case 1: dag.schedule = .cron("*/5 * * * *")
    case 2: dag.schedule = .dataInterval("*/7 * * * *")
    case 3: dag.schedule = .cron("*/20 * * * *", timeZone: "Europe/Berlin")
    case 4: dag.schedule = .continuous
    default: dag.schedule = .none
    }
    if random.chance(1, of: 2) { dag.startDate = Timestamp(iso8601: "2026-03-29T00:00:00Z") }
    let count = Int.random(in: 1...12, using: &random)
    let hasPast = random.chance(1, of: 4)
    for index in 0..<count { dag.tasks.append(task(index, &dag, hasPast: hasPast, &random)) }
    for index in dag.tasks.indices { dag.tasks[index].decision = decision(of: dag.tasks[index], in: dag, &random) }
    return dag
  }

  private static func decision(
    of task: TaskDescription, in dag: DAGDescription, _ random: inout SplitMix
  ) -> TaskDecision? {
    guard random.chance(1, of: 5) else { return nil }
    switch task.work {
    case .empty: return .latestOnly
    case .computeEngineJob: return nil
    case .swift, .bash:
      if random.chance(1, of: 3) { return .shortCircuit(ignoresTriggerRules: random.chance(1, of: 2)) }
      var cases: [String: [String]] = ["left": [], "right": [], "nowhere": []]
      for below in dag.tasks where below.upstream.contains(task.id) {
        if random.chance(1, of: 2) { cases["left"]!.append(below.id) }
        if random.chance(1, of: 2) { cases["right"]!.append(below.id) }
      }
      return .branch(cases: cases)
    }
  }

  private static func task(
    _ index: Int, _ dag: inout DAGDescription, hasPast: Bool, _ random: inout SplitMix
  ) -> TaskDescription {
    let works: [TaskDescription.Work] = [.empty, .swift, .swift, .bash(script: Template(parts: []))]
    var work = random.pick(works)
    if random.chance(1, of: 12) {
      work = .computeEngineJob(
        ComputeEngineJobDescription(job: JobConfig(project: "p", image: "i"), specs: [.init(command: .image)]))
    }
    // Ids of different versions overlap, but not all.
    var task = TaskDescription(
      id: random.chance(1, of: 8) ? "new_\(index)_\(Int.random(in: 0..<3, using: &random))" : "task_\(index)",
      work: work, location: SourceLocation(file: "", line: 0))
    for upstream in dag.tasks where random.chance(1, of: 4) { task.upstream.append(upstream.id) }
    task.triggerRule = random.chance(1, of: 2) ? .allSuccess : random.pick(TriggerRule.allCases)
    if random.chance(1, of: 10) { task.role = .setup }
    let setups = dag.tasks.filter { $0.role == .setup }.map(\.id)
    if !setups.isEmpty, random.chance(1, of: 3) {
      task.role = .teardown(setups: [random.pick(setups)], failsRun: random.chance(1, of: 3))
      task.triggerRule = .allDoneSetupSuccess
    }
    task.retries = random.pick([0, 0, 1, 3])
    task.retryDelaySeconds = Double(Int.random(in: 0...90, using: &random))
    task.retryBackoffMultiplier = random.pick([nil, 1, 2, 3.5])
    task.maxRetryDelaySeconds = random.pick([nil, 60])
    task.executionTimeoutSeconds = random.pick([nil, nil, 20])
    task.pool = random.pick(["default_pool", "default_pool", "small", "nowhere"])
    if task.pool == "nowhere", random.chance(9, of: 10) { task.pool = "small" }
    task.poolSlots = random.pick([1, 1, 2, 3])
    task.priorityWeight = Int.random(in: 1...4, using: &random)
    task.weightRule = random.pick(WeightRule.allCases)
    task.dependsOnPast = hasPast && random.chance(1, of: 2)
    task.waitForPastDependsBeforeSkipping = random.chance(1, of: 2)
    task.maxActivePerDAG = random.pick([nil, nil, nil, 1, 2])
    return task
  }
}
