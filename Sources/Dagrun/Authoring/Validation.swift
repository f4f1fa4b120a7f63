import Foundation

/// What only the whole DAG can show to be wrong.
struct Validation {
  private let builder: DAGBuilder
  private var dag: DAGDescription { builder.description }

  init(_ builder: DAGBuilder) { self.builder = builder }

  func run() {
    checkDAG()
    checkSchedule()
    checkParameters()
    let declared = Set(dag.parameters.map(\.name))
    for task in dag.tasks { check(task, parameters: declared) }
    checkCycles()
  }

  private func checkDAG() {
    if let reason = Identifier.problem(with: dag.id) { builder.problem("the DAG id \"\(dag.id)\" \(reason)") }
    if dag.tasks.isEmpty { builder.problem("DAG \"\(dag.id)\" has no tasks") }
    if dag.maxActiveRuns < 1 { builder.problem("maxActiveRuns is \(dag.maxActiveRuns); it must be 1 or more") }
    if dag.maxActiveTasks < 1 { builder.problem("maxActiveTasks is \(dag.maxActiveTasks); it must be 1 or more") }
    if let timeout = dag.dagrunTimeoutSeconds, timeout <= 0 {
      builder.problem("dagrunTimeout is \(timeout) s; it must be more than 0")
    }
    if let start = dag.startDate, let end = dag.endDate, end < start {
      builder.problem("the endDate \(end.iso8601) lies before the startDate \(start.iso8601)")
    }
  }

  private func checkSchedule() {
    switch dag.schedule.kind {
    case .none: return
    case .once, .continuous: break
    case .cron(let expression, let timeZone), .dataInterval(let expression, let timeZone):
      do { _ = try CronExpression(expression) } catch { builder.problem(error.description) }
      if timeZone != "UTC", TimeZone(identifier: timeZone) == nil {
        builder.problem("there is no time zone \"\(timeZone)\"; write an IANA name such as \"Europe/Berlin\"")
      }
    }
    for parameter in dag.parameters where parameter.defaultValue == nil {
      builder.problem(
        "parameter \"\(parameter.name)\" has no default, so DAG \"\(dag.id)\" cannot have a schedule: a scheduled run "
          + "is given no parameters")
    }
  }

  private func checkParameters() {
    var seen: Set<String> = []
    for parameter in dag.parameters {
      if parameter.name.isEmpty { builder.problem("a parameter has an empty name") }
      if let reason = Identifier.problem(withBeginningOf: parameter.name) {
        builder.problem("the parameter's name \"\(parameter.name)\" \(reason)")
      }
      if !seen.insert(parameter.name).inserted {
        builder.problem("there are two parameters \"\(parameter.name)\" in DAG \"\(dag.id)\"")
      }
      if let minimum = parameter.minimum, let maximum = parameter.maximum, minimum > maximum {
        builder.problem("parameter \"\(parameter.name)\" allows no value: \(minimum) is above \(maximum)")
      }
      if let pattern = parameter.pattern, (try? Regex(pattern)) == nil {
        builder.problem("the pattern \"\(pattern)\" of parameter \"\(parameter.name)\" is no regular expression")
        continue
      }
      if let value = parameter.defaultValue {
        do { _ = try parameter.check(value) } catch { builder.problem("the default is wrong: \(error)") }
      }
    }
  }

  private func check(_ task: TaskDescription, parameters: Set<String>) {
    func problem(_ message: String) { builder.problem("task \"\(task.id)\": \(message)", at: task.location) }
    func atLeastOne(_ value: Int?, _ label: String) {
      if let value, value < 1 { problem("\(label) is \(value); it must be 1 or more") }
    }
    func notNegative(_ value: Double?, _ label: String) {
      if let value, !(value >= 0) { problem("\(label) is \(value) s; it cannot be negative") }
    }
    if task.retries < 0 { problem("retries is \(task.retries); it cannot be negative") }
    notNegative(task.retryDelaySeconds, "retryDelay")
    notNegative(task.maxRetryDelaySeconds, "maxRetryDelay")
    if let backoff = task.retryBackoffMultiplier, !(backoff >= 0) { problem("retryBackoff is \(backoff)") }
    if let timeout = task.executionTimeoutSeconds, !(timeout > 0) {
      problem("executionTimeout is \(timeout) s; it must be more than 0")
    }
    if task.pool.isEmpty { problem("the name of its pool is empty") }
    if let reason = Identifier.problem(withBeginningOf: task.pool) { problem("its pool \"\(task.pool)\" \(reason)") }
    atLeastOne(task.poolSlots, "poolSlots")
    atLeastOne(task.maxActivePerDAG, "maxActive(perDAG:)")
    atLeastOne(task.maxActivePerRun, "maxActive(perRun:)")
    for message in JobConfig.problems(variables: Array(task.environment.keys)) { problem(message) }
    if case .computeEngineJob(let job) = task.work { for message in job.problems { problem(message) } }
    if case .bash(let script) = task.work, script.parts.isEmpty { problem("its script is empty") }
    for (script, shell) in task.work.scripts {
      for message in script.shellProblems(shell, dagID: dag.id, taskID: task.id) { problem(message) }
    }
    for case .param(let name) in templates(of: task).flatMap(\.variables) where !parameters.contains(name) {
      let hint = Identifier.closest(to: name, in: parameters).map { "; did you mean \"\($0)\"?" }
      problem("DAG \"\(dag.id)\" has no parameter \"\(name)\"\(hint ?? "; declare it in params:")")
    }
  }

  private func templates(of task: TaskDescription) -> [Template] {
    task.work.templates + task.environment.sorted { $0.key < $1.key }.map(\.value)
      + [task.workingDirectory].compactMap { $0 }
  }

  /// Depth first over the upstream lists, without recursion: a chain may be 100,000 tasks long.
  private func checkCycles() {
    enum Mark { case unseen, onPath, done }
    let upstream = builder.upstream
    var marks = Array(repeating: Mark.unseen, count: upstream.count)
    for start in upstream.indices where marks[start] == .unseen {
      var path: [(task: Int, next: Int)] = [(start, 0)]
      marks[start] = .onPath
      while let (task, next) = path.last {
        guard next < upstream[task].count else {
          marks[task] = .done
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let other = Int(upstream[task][next])
        switch marks[other] {
        case .done: continue
        case .unseen:
          marks[other] = .onPath
          path.append((other, 0))
        case .onPath:
          let from = path.firstIndex { $0.task == other } ?? 0
          report(cycle: path[from...].map(\.task))
          return
        }
      }
    }
  }

  /// - Parameter cycle: each task has the next one upstream, and the last one the first.
  private func report(cycle: [Int]) {
    // In the direction of the arrows, from the task that the file creates first.
    let forward = Array(cycle.reversed())
    let start = forward.firstIndex(of: forward.min() ?? 0) ?? 0
    let ids = (forward[start...] + forward[..<start] + [forward[start]]).map { dag.tasks[$0].id }
    builder.problem(
      "the tasks of DAG \"\(dag.id)\" wait for each other in a cycle: " + ids.joined(separator: " --> "),
      at: dag.tasks[forward[start]].location)
  }
}
