/// A task of a DAG. What can be set on any task is set by the functions here, each of which gives the task back:
///
///     BashOperator("train", "train.sh").retries(3, delay: .minutes(1), backoff: 2).pool("gpu", slots: 2)
public protocol DAGTask: Chainable {
  var task: TaskReference { get }
}

extension DAGTask {
  public var firstTasks: [TaskReference] { [task] }
  public var lastTasks: [TaskReference] { [task] }

  /// Tries the task again when it has failed.
  ///
  /// - Parameters:
  ///   - delay: between the end of a try and the next one; 5 minutes, or what the DAG's defaults say.
  ///   - backoff: each further wait is this many times longer.
  ///   - maxDelay: no wait is longer.
  @discardableResult
  public func retries(
    _ count: Int, delay: Duration? = nil, backoff: Double? = nil, maxDelay: Duration? = nil
  ) -> Self {
    task.update {
      $0.retries = count
      if let delay { $0.retryDelaySeconds = delay.inSeconds }
      if let backoff { $0.retryBackoffMultiplier = backoff }
      if let maxDelay { $0.maxRetryDelaySeconds = maxDelay.inSeconds }
    }
    return self
  }

  /// A try that takes longer is stopped, and has failed.
  @discardableResult
  public func executionTimeout(_ timeout: Duration) -> Self {
    task.update { $0.executionTimeoutSeconds = timeout.inSeconds }
    return self
  }

  /// When the task may start, given how its upstream tasks ended.
  @discardableResult
  public func triggerRule(_ rule: TriggerRule) -> Self {
    task.update { $0.triggerRule = rule }
    return self
  }

  /// The pool in which the task takes slots while it runs (`dagrun pools`).
  @discardableResult
  public func pool(_ name: String, slots: Int = 1) -> Self {
    task.update {
      $0.pool = name
      $0.poolSlots = slots
    }
    return self
  }

  /// Of tasks that wait for the same slot, the one with the highest priority starts first.
  @discardableResult
  public func priority(_ weight: Int, rule: WeightRule? = nil) -> Self {
    task.update {
      $0.priorityWeight = weight
      if let rule { $0.weightRule = rule }
    }
    return self
  }

  /// Starts only when the same task of the DAG's previous run has succeeded or was skipped.
  ///
  /// - Parameter waitBeforeSkipping: do not skip the task either before that is known.
  @discardableResult
  public func dependsOnPast(waitBeforeSkipping: Bool = false) -> Self {
    task.update {
      $0.dependsOnPast = true
      $0.waitForPastDependsBeforeSkipping = waitBeforeSkipping
    }
    return self
  }

  /// How many instances of the task may run at once, over all runs of the DAG.
  @discardableResult
  public func maxActive(perDAG: Int) -> Self {
    task.update { $0.maxActivePerDAG = perDAG }
    return self
  }

  /// How many instances of the task may run at once in one run.
  @discardableResult
  public func maxActive(perRun: Int) -> Self {
    task.update { $0.maxActivePerRun = perRun }
    return self
  }

  /// The account that a shell or Swift task runs under, by its name on the machine that runs it. Only a scheduler that
  /// root has started can give a task another account than its own.
  @discardableResult
  public func runAsUser(_ name: String) -> Self {
    task.update { $0.runAsUser = name }
    return self
  }

  /// What people read of the task.
  @discardableResult
  public func documentation(_ text: String) -> Self {
    task.update { $0.documentation = text }
    return self
  }

  /// Prepares something for the tasks after it, which a teardown removes again.
  @discardableResult
  public func asSetup() -> Self {
    task.update { $0.role = .setup }
    return self
  }

  /// Runs after everything between it and its setups, however that ended, unless no setup has succeeded.
  ///
  ///     let create = BashOperator("create", "createdb scratch")
  ///     create --> work --> BashOperator("drop", "dropdb scratch").asTeardown(of: create)
  ///
  /// Said again, of a group's teardown say, it adds setups.
  ///
  /// - Parameter failsRun: whether the run fails when the teardown does.
  @discardableResult
  public func asTeardown(of setups: any DAGTask..., failsRun: Bool = false) -> Self {
    for setup in setups {
      guard setup.task.isOfSameDAG(as: task) else {
        task.builder.foreign(setup.task, usedBy: task)
        continue
      }
      setup.asSetup()
      task.builder.addEdge(from: setup.task, to: task)
    }
    var setupIDs = setups.map(\.task.id)
    var failsRun = failsRun
    task.update {
      if case .teardown(let earlier, let didFailRun) = $0.role {
        setupIDs = earlier + setupIDs.filter { !earlier.contains($0) }
        failsRun = failsRun || didFailRun
      }
      $0.role = .teardown(setups: setupIDs, failsRun: failsRun)
      $0.triggerRule = .allDoneSetupSuccess
    }
    return self
  }
}

/// Names a task while its DAG is described. Not Sendable on purpose: a closure of a Swift task runs later, in another
/// process, and gets values of other tasks as arguments, not by capturing them.
public struct TaskReference {
  package let builder: DAGBuilder
  package let index: Int
  /// The case of a branch along which an arrow from here is followed.
  let way: String?

  package init(builder: DAGBuilder, index: Int) { self.init(builder, index, way: nil) }

  private init(_ builder: DAGBuilder, _ index: Int, way: String?) {
    self.builder = builder
    self.index = index
    self.way = way
  }

  /// Where an arrow starts that is followed when the branch chooses `way`.
  func along(_ way: String) -> TaskReference { TaskReference(builder, index, way: way) }

  package var id: String { builder.description.tasks[index].id }

  package func isOfSameDAG(as other: TaskReference) -> Bool { builder === other.builder }

  package func update(_ change: (inout TaskDescription) -> Void) { change(&builder.description.tasks[index]) }
}

/// What a task will have produced when it has succeeded. Given to another task, or written into a template, it makes
/// that task wait for this one.
public struct Output<Value> {
  public let task: TaskReference

  package init(of task: TaskReference) { self.task = task }
}

extension Output {
  /// For a closure that takes an optional: nil where the task has handed nothing on, because it was skipped or failed.
  /// Whoever wants that has a trigger rule, such as `.allDone`, that lets it run then.
  public var optional: Output<Value?> { Output<Value?>(of: task) }
}
