// By hand, so that what has its default value is left out: of a usual task, five keys remain.

extension TaskDescription: Codable {
  private enum Key: String, CodingKey {
    case id, bash, madeScript, swift, job, upstream, inputs, mapping, triggerRule, role, retries, retryDelay,
      retryBackoff, maxRetryDelay, retryOn, executionTimeout, pool, poolSlots, priorityWeight, weightRule,
      dependsOnPast, waitForPast, maxActivePerDAG,
      maxActivePerRun, environment, workingDirectory, runAsUser, executor, decision, group, documentation, file, line
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    var task = TaskDescription(id: "", work: .empty, location: SourceLocation(file: "", line: 0))
    // Asking for each of the keys would cost more than reading those that are there.
    for key in container.allKeys {
      switch key {
      case .id: task.id = try container.decode(String.self, forKey: key)
      case .bash: task.work = .bash(script: try container.decode(Template.self, forKey: key))
      case .madeScript: task.work = .madeScript
      case .swift: task.work = .swift
      case .job: task.work = .computeEngineJob(try container.decode(ComputeEngineJobDescription.self, forKey: key))
      case .upstream: task.upstream = try container.decode([String].self, forKey: key)
      case .inputs: task.inputs = try container.decode([String].self, forKey: key)
      case .mapping: task.mapping = try container.decode(TaskMapping.self, forKey: key)
      case .triggerRule: task.triggerRule = try container.decode(TriggerRule.self, forKey: key)
      case .role: task.role = try container.decode(Role.self, forKey: key)
      case .retries: task.retries = try container.decode(Int.self, forKey: key)
      case .retryDelay: task.retryDelaySeconds = try container.decode(Double.self, forKey: key)
      case .retryBackoff: task.retryBackoffMultiplier = try container.decode(Double.self, forKey: key)
      case .maxRetryDelay: task.maxRetryDelaySeconds = try container.decode(Double.self, forKey: key)
      case .retryOn: task.failureRules = try container.decode([FailureRule].self, forKey: key)
      case .executionTimeout: task.executionTimeoutSeconds = try container.decode(Double.self, forKey: key)
      case .pool: task.pool = try container.decode(String.self, forKey: key)
      case .poolSlots: task.poolSlots = try container.decode(Int.self, forKey: key)
      case .priorityWeight: task.priorityWeight = try container.decode(Int.self, forKey: key)
      case .weightRule: task.weightRule = try container.decode(WeightRule.self, forKey: key)
      case .dependsOnPast: task.dependsOnPast = try container.decode(Bool.self, forKey: key)
      case .waitForPast: task.waitForPastDependsBeforeSkipping = try container.decode(Bool.self, forKey: key)
      case .maxActivePerDAG: task.maxActivePerDAG = try container.decode(Int.self, forKey: key)
      case .maxActivePerRun: task.maxActivePerRun = try container.decode(Int.self, forKey: key)
      case .environment: task.environment = try container.decode([String: Template].self, forKey: key)
      case .workingDirectory: task.workingDirectory = try container.decode(Template.self, forKey: key)
      case .runAsUser: task.runAsUser = try container.decode(String.self, forKey: key)
      case .executor: task.executor = try container.decode(ExecutorID.self, forKey: key)
      case .decision: task.decision = try container.decode(TaskDecision.self, forKey: key)
      case .group: task.groupID = try container.decode(String.self, forKey: key)
      case .documentation: task.documentation = try container.decode(String.self, forKey: key)
      case .file: task.location.file = try container.decode(String.self, forKey: key)
      case .line: task.location.line = try container.decode(Int.self, forKey: key)
      }
    }
    self = task
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    let standard = TaskDescription.standard
    try container.encode(id, forKey: .id)
    switch work {
    case .empty: break
    case .bash(let script): try container.encode(script, forKey: .bash)
    case .madeScript: try container.encode(true, forKey: .madeScript)
    case .swift: try container.encode(true, forKey: .swift)
    case .computeEngineJob(let job): try container.encode(job, forKey: .job)
    }
    func encode<Value: Encodable & Equatable>(_ path: KeyPath<TaskDescription, Value>, _ key: Key) throws {
      if self[keyPath: path] != standard[keyPath: path] { try container.encode(self[keyPath: path], forKey: key) }
    }
    try encode(\.upstream, .upstream)
    try encode(\.inputs, .inputs)
    try encode(\.mapping, .mapping)
    try encode(\.triggerRule, .triggerRule)
    try encode(\.role, .role)
    try encode(\.retries, .retries)
    try encode(\.retryDelaySeconds, .retryDelay)
    try encode(\.retryBackoffMultiplier, .retryBackoff)
    try encode(\.maxRetryDelaySeconds, .maxRetryDelay)
    try encode(\.failureRules, .retryOn)
    try encode(\.executionTimeoutSeconds, .executionTimeout)
    try encode(\.pool, .pool)
    try encode(\.poolSlots, .poolSlots)
    try encode(\.priorityWeight, .priorityWeight)
    try encode(\.weightRule, .weightRule)
    try encode(\.dependsOnPast, .dependsOnPast)
    try encode(\.waitForPastDependsBeforeSkipping, .waitForPast)
    try encode(\.maxActivePerDAG, .maxActivePerDAG)
    try encode(\.maxActivePerRun, .maxActivePerRun)
    try encode(\.environment, .environment)
    try encode(\.workingDirectory, .workingDirectory)
    try encode(\.runAsUser, .runAsUser)
    try encode(\.executor, .executor)
    try encode(\.decision, .decision)
    try encode(\.groupID, .group)
    try encode(\.documentation, .documentation)
    try encode(\.location.file, .file)
    try encode(\.location.line, .line)
  }

  /// Every setting at its default.
  private static let standard = TaskDescription(id: "", work: .empty, location: SourceLocation(file: "", line: 0))
}
