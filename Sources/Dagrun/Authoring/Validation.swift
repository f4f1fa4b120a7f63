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
    BranchValidation(builder).run()
    checkCycles()
  }

  private func checkDAG() {
    if let reason = Identifier.problem(with: dag.id) { builder.problem("the DAG id \"\(dag.id)\" \(reason)") }
    if dag.tasks.isEmpty { builder.problem("DAG \"\(dag.id)\" has no tasks") }
    let problems = [
      NumberBound.maxActiveRuns.problem(dag.maxActiveRuns), NumberBound.maxActiveTasks.problem(dag.maxActiveTasks),
      dag.dagrunTimeoutSeconds.flatMap(NumberBound.dagrunTimeout.problem),
    ]
    for problem in problems.compactMap(\.self) { builder.problem(problem) }
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
      let numbers =
        [parameter.minimum, parameter.maximum].map { $0.flatMap(NumberBound.parameter.problem) }
        + [parameter.minimumLength, parameter.maximumLength].map { $0.flatMap(NumberBound.parameterLength.problem) }
      for problem in numbers.compactMap(\.self) {
        builder.problem("what parameter \"\(parameter.name)\" allows is wrong: \(problem)")
      }
      if let value = parameter.defaultValue, !value.isFinite {
        builder.problem(
          "the default of parameter \"\(parameter.name)\" is \(value.jsonText); it must be a finite number, for JSON has "
            + "no other")
        continue
      }
      if let pattern = parameter.pattern, BoundedRegex(pattern) == nil {
        builder.problem("the pattern \"\(pattern)\" of parameter \"\(parameter.name)\" is not a regular expression")
        continue
      }
      if let value = parameter.defaultValue {
        do { _ = try parameter.check(value) } catch { builder.problem("the default is wrong: \(error)") }
      }
    }
  }

  private func check(_ task: TaskDescription, parameters: Set<String>) {
    func problem(_ message: String) { builder.problem("task \"\(task.id)\": \(message)", at: task.location) }
    func check(_ bound: NumberBound, _ value: Double?) {
      if let value, let message = bound.problem(value) { problem(message) }
    }
    func check(_ bound: NumberBound, _ value: Int?) {
      if let value, let message = bound.problem(value) { problem(message) }
    }
    check(.retries, task.retries)
    check(.retryDelay, task.retryDelaySeconds)
    check(.maxRetryDelay, task.maxRetryDelaySeconds)
    check(.retryBackoff, task.retryBackoffMultiplier)
    check(.executionTimeout, task.executionTimeoutSeconds)
    if task.pool.isEmpty { problem("the name of its pool is empty") }
    if let reason = Identifier.problem(withBeginningOf: task.pool) { problem("its pool \"\(task.pool)\" \(reason)") }
    check(.poolSlots, task.poolSlots)
    check(.priority, task.priorityWeight)
    check(.maxActivePerDAG, task.maxActivePerDAG)
    check(.maxActivePerRun, task.maxActivePerRun)
    for message in JobConfig.problems(variables: Array(task.environment.keys)) { problem(message) }
    if case .computeEngineJob(let job) = task.work { for message in job.problems { problem(message) } }
    if case .bash(let script) = task.work, script.parts.isEmpty { problem("its script is empty") }
    if let user = task.runAsUser {
      switch task.work {
      case .bash, .swift: break
      case .empty: problem("runAsUser is for tasks that run something, and an EmptyOperator does not")
      case .computeEngineJob:
        problem("runAsUser is for shell and Swift tasks; in a job's container its image says who runs the program")
      }
      if !Self.isAccountName(user) { problem("\"\(user)\" cannot be the name of a user (runAsUser)") }
    }
    for (script, shell) in task.work.scripts {
      for message in script.shellProblems(shell, dagID: dag.id, taskID: task.id) { problem(message) }
    }
    for case .param(let name) in templates(of: task).flatMap(\.variables) where !parameters.contains(name) {
      let hint = Identifier.closest(to: name, in: parameters).map { "; did you mean \"\($0)\"?" }
      problem("DAG \"\(dag.id)\" has no parameter \"\(name)\"\(hint ?? "; declare it in params:")")
    }
  }

  /// As useradd and directories take them, with a domain too.
  private static func isAccountName(_ name: String) -> Bool {
    name.utf8.count <= 256
      && name.wholeMatch(of: #/[A-Za-z_][A-Za-z0-9_.@\\-]*\$?/#) != nil
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
