import Foundation

/// A DAG while its file describes it. Mistakes are noted with their place, not trapped, so that a person sees all of
/// them at once.
package final class DAGBuilder {
  package internal(set) var description: DAGDescription
  /// Of tasks that do not say otherwise, where the file is now.
  var defaults: TaskDefaults { scopes.last?.defaults ?? ownDefaults }
  private let ownDefaults: TaskDefaults
  /// A task as the defaults make it: reading them for each task would take longer than all else.
  private let prototype: TaskDescription
  private(set) var problems: [DescriptionProblem] = []
  private(set) var bodies: [String: SwiftTaskBody] = [:]
  private var taskIndices: [String: Int] = [:]
  /// Drawn already: source in the high half, target in the low one.
  private var edges: Set<UInt64> = []
  private(set) var upstream: [[Int32]] = []
  /// By the task's index: how a job's output was asked for first.
  private var jobOutputs: [Int: JobOutput] = [:]
  /// The groups whose closures are running, the outermost first.
  private var scopes: [GroupScope] = []
  /// By id.
  private var groupLocations: [String: SourceLocation] = [:]
  /// By the branch's index.
  var branches: [Int: BranchCases] = [:]
  /// By the task's index.
  var retryRules: [Int: [RetryRule]] = [:]

  init(_ description: DAGDescription, defaults: TaskDefaults) {
    self.description = description
    ownDefaults = defaults
    var prototype = TaskDescription(id: "", work: .empty, location: description.location)
    prototype.apply(defaults)
    self.prototype = prototype
    check(defaults.retryRules, of: "the defaults of DAG \"\(description.id)\"")
  }

  func problem(_ message: String, at location: SourceLocation? = nil) {
    problems.append(DescriptionProblem(message, at: location ?? description.location))
  }

  /// A date without a time is a whole day of the schedule's time zone.
  func setDates(start: String?, end: String?) {
    // A zone that does not exist is reported elsewhere.
    let zone = description.schedule.timeZone.flatMap(TimeZone.init(identifier:)) ?? .gmt
    func read(_ text: String?, _ label: String, _ moment: (CalendarDay) -> Timestamp) -> Timestamp? {
      guard let text else { return nil }
      if let date = CalendarDay(iso8601: text).map(moment) ?? Timestamp(iso8601: text) { return date }
      let reason = DateProblem.words(for: text) ?? "write it as \"2026-01-31\""
      problem("the \(label) \"\(text)\" of DAG \"\(description.id)\" is not a date; \(reason)")
      return nil
    }
    description.startDate = read(start, "startDate") { $0.start(in: zone) }
    description.endDate = read(end, "endDate") { $0.end(in: zone) }
  }

  /// - Parameter name: its id without those of its groups.
  func addTask(
    _ name: String, _ work: TaskDescription.Work, _ options: CommonOptions, _ location: SourceLocation
  ) -> TaskReference {
    let scope = scopes.last
    let id = (scope?.prefix ?? "") + name
    if let reason = Identifier.problem(with: name.isEmpty ? name : id) {
      problem("the task id \"\(name.isEmpty ? name : id)\" \(reason)", at: location)
    } else if let other = taskIndices[id] {
      let first = description.tasks[other].location
      problem(
        "there are two tasks \"\(id)\" in DAG \"\(description.id)\"; the first is in line \(first.line)", at: location)
    } else if let group = groupLocations[id] {
      problem(
        "a task and a group are both called \"\(id)\" in DAG \"\(description.id)\"; the group is in line \(group.line)",
        at: location)
    }
    let index = description.tasks.count
    if taskIndices[id] == nil { taskIndices[id] = index }
    var task = scope?.prototype ?? prototype
    task.id = id
    task.work = work
    task.location = location
    task.groupID = scope?.id ?? ""
    task.apply(options)
    switch work {
    case .bash, .madeScript, .swift: task.runAsUser = defaults.runAsUser
    case .empty, .computeEngineJob: break
    }
    let rules = defaults.retryRules
    if !rules.isEmpty, work != .empty { retryRules[index] = rules }
    description.tasks.append(task)
    upstream.append([])
    let reference = TaskReference(builder: self, index: index)
    for template in work.templates { addUpstream(of: template, to: reference) }
    return reference
  }

  func addUpstream(of template: Template, to task: TaskReference) {
    for id in template.outputTaskIDs {
      // An output of another DAG has been noted where it was written.
      if let index = taskIndices[id] { addEdge(from: TaskReference(builder: self, index: index), to: task) }
    }
  }

  /// An arrow between tasks that may be of different DAGs.
  func connect(_ source: TaskReference, to target: TaskReference) {
    if source.builder === self { addEdge(from: source, to: target) } else { foreign(source, usedBy: target) }
  }

  func foreign(_ source: TaskReference, usedBy target: TaskReference) {
    problem(
      "task \"\(target.id)\" of DAG \"\(description.id)\" cannot come after task \"\(source.id)\" of DAG "
        + "\"\(source.builder.description.id)\": an edge joins tasks of one DAG",
      at: description.tasks[target.index].location)
  }

  func addEdge(from source: TaskReference, to target: TaskReference) {
    if let way = source.way { branches[source.index]?.lead(way, to: target.id) }
    guard edges.insert(UInt64(source.index) << 32 | UInt64(target.index)).inserted else { return }
    upstream[target.index].append(Int32(source.index))
    description.tasks[target.index].upstream.append(source.id)
  }

  // MARK: Groups

  func beginGroup(
    _ name: String, prefixes: Bool, defaults: TaskDefaults?, _ documentation: String, _ location: SourceLocation
  ) -> GroupScope {
    let outer = scopes.last
    let id = (outer?.prefix ?? "") + name
    if let reason = Identifier.problem(with: name.isEmpty ? name : id) {
      problem("the group id \"\(name.isEmpty ? name : id)\" \(reason)", at: location)
    } else if name.contains(".") {
      problem(
        "the group id \"\(id)\" must not contain a dot: dots separate a group's id from the ids in it", at: location)
    } else if let first = groupLocations[id] {
      problem(
        "there are two groups \"\(id)\" in DAG \"\(description.id)\"; the first is in line \(first.line)", at: location)
    } else if let task = taskIndices[id] {
      let line = description.tasks[task].location.line
      problem(
        "a task and a group are both called \"\(id)\" in DAG \"\(description.id)\"; the task is in line \(line)",
        at: location
      )
    }
    groupLocations[id] = groupLocations[id] ?? location
    if let defaults { check(defaults.retryRules, of: "the defaults of group \"\(id)\"") }
    let prefix = prefixes ? id + "." : ""
    description.groups.append(
      TaskGroupDescription(
        id: id, parentID: outer?.id ?? "", prefix: prefix, documentation: documentation, location: location))
    let scope = GroupScope(
      self, id: id, prefix: prefix, defaults: defaults ?? self.defaults,
      prototype: defaults.map(makePrototype) ?? outer?.prototype ?? prototype)
    scopes.append(scope)
    return scope
  }

  func endGroup(_ scope: GroupScope) { scopes.removeAll { $0 === scope } }

  private func makePrototype(_ defaults: TaskDefaults) -> TaskDescription {
    var prototype = TaskDescription(id: "", work: .empty, location: description.location)
    prototype.apply(defaults)
    return prototype
  }

  enum JobOutput {
    case result
    case own(at: SourceLocation)
  }

  /// A task has one output: its readers cannot have the `JobResult` and what the job wrote.
  func noteUse(ofJob task: TaskReference, _ use: JobOutput) {
    let first = jobOutputs[task.index] ?? use
    jobOutputs[task.index] = first
    switch (first, use) {
    case (.result, .result), (.own, .own): return
    case (.own(let location), .result), (.result, .own(let location)):
      let message =
        "task \"\(task.id)\" has one output: what it wrote, by .output(as:), or its JobResult, by .output; use one of them"
      let problem = DescriptionProblem(message, at: location)
      if !problems.contains(problem) { problems.append(problem) }
    }
  }

  func setBody(of taskID: String, _ body: @escaping SwiftTaskBody) {
    if bodies[taskID] == nil { bodies[taskID] = body }
  }

  func wrapBody(of taskID: String, _ wrap: (@escaping SwiftTaskBody) -> SwiftTaskBody) {
    if let body = bodies[taskID] { bodies[taskID] = wrap(body) }
  }

  func finish() {
    describeBranches()
    describeRetryRules()
    Validation(self).run()
    if !problems.isEmpty { description.clampNumbers() }
    // No longer needed, and large in a large DAG.
    edges = []
    upstream = []
    taskIndices = [:]
    jobOutputs = [:]
    groupLocations = [:]
    branches = [:]
    retryRules = [:]
  }
}

/// What every operator's initialiser takes; nil: as the DAG's defaults say.
struct CommonOptions {
  var retries: Int?
  var retryDelay: Duration?
  var executionTimeout: Duration?
  var triggerRule: TriggerRule?
  var pool: String?

  init(
    _ retries: Int? = nil, _ retryDelay: Duration? = nil, _ executionTimeout: Duration? = nil,
    triggerRule: TriggerRule?, pool: String? = nil
  ) {
    self.init(retries, retryDelay, executionTimeout, triggerRule, pool)
  }

  init(
    _ retries: Int?, _ retryDelay: Duration?, _ executionTimeout: Duration?, _ triggerRule: TriggerRule?,
    _ pool: String?
  ) {
    self.retries = retries
    self.retryDelay = retryDelay
    self.executionTimeout = executionTimeout
    self.triggerRule = triggerRule
    self.pool = pool
  }
}

extension TaskDescription {
  fileprivate mutating func apply(_ defaults: TaskDefaults) {
    retries = defaults.retries
    retryDelaySeconds = defaults.retryDelay.inSeconds
    retryBackoffMultiplier = defaults.retryBackoff
    maxRetryDelaySeconds = defaults.maxRetryDelay?.inSeconds
    executionTimeoutSeconds = defaults.executionTimeout?.inSeconds
    triggerRule = defaults.triggerRule
    pool = defaults.pool
    poolSlots = defaults.poolSlots
    priorityWeight = defaults.priorityWeight
    weightRule = defaults.weightRule
    dependsOnPast = defaults.dependsOnPast
  }

  fileprivate mutating func apply(_ options: CommonOptions) {
    if let retries = options.retries { self.retries = retries }
    if let delay = options.retryDelay { retryDelaySeconds = delay.inSeconds }
    if let timeout = options.executionTimeout { executionTimeoutSeconds = timeout.inSeconds }
    if let rule = options.triggerRule { triggerRule = rule }
    if let pool = options.pool { self.pool = pool }
  }
}

extension TaskDescription.Work {
  /// Every template of the work.
  package var templates: [Template] {
    switch self {
    case .empty, .swift, .madeScript: []
    case .bash(let script): [script]
    case .computeEngineJob(let job): job.templates
    }
  }
}

extension TaskDescription.Work {
  /// What a shell reads, and which shell.
  var scripts: [(script: Template, shell: ShellDialect)] {
    switch self {
    case .empty, .swift, .madeScript: return []
    case .bash(let script): return [(script, .bash)]
    case .computeEngineJob(let job):
      return job.specs.compactMap { spec in
        guard case .script(let script) = spec.command, let shell = script.shell else { return nil }
        return (script, shell)
      }
    }
  }
}
