/// Tasks that belong together: shown as one, named by a common prefix, connected by arrows as a whole.
///
///     let checks = TaskGroup("checks") {
///         BashOperator("rows", "check.sh rows")              // its id is checks.rows
///         BashOperator("nulls", "check.sh nulls")
///     }
///     load --> checks --> publish
///
/// An arrow to the group leads to its setup, or else to each task in it that nothing in it comes before; an arrow from
/// it starts at each task that nothing in it comes after, teardowns excepted. Groups nest.
public struct TaskGroup<Content>: Chainable {
  /// What the closure has returned.
  public let content: Content
  public let firstTasks: [TaskReference]
  public let lastTasks: [TaskReference]

  /// - Parameters:
  ///   - id: as a task's. Unique among tasks and groups.
  ///   - prefix: whether the ids in it begin with the group's and a dot. Without, they are as written, also in another
  ///     group.
  ///   - defaults: of tasks in it that do not say otherwise; nil: as around it.
  ///   - setup: comes before all tasks in the group. Made before the group, and a setup from here on.
  ///   - teardown: comes after all tasks in the group, however they end. Made before the group, and the setup's
  ///     teardown from here on.
  ///   - description: what people read of the group.
  @discardableResult
  public init(
    _ id: String, prefix: Bool = true, defaults: TaskDefaults? = nil, setup: (any DAGTask)? = nil,
    teardown: (any DAGTask)? = nil, description: String = "", file: String = #filePath, line: Int = #line,
    tasks: () throws -> Content
  ) rethrows {
    let location = SourceLocation(file: file, line: line)
    let scope = Registry.beginGroup(id, prefixes: prefix, defaults: defaults, description, location)
    defer { Registry.endGroup(scope) }
    content = try tasks()
    let first: [TaskReference]
    (first, lastTasks) = scope.ends()
    setup?.asSetup()
    if let setup { Chain.connect([setup.task], to: first) }
    // What is made for the group is not made before the group's turn, nor for one that is skipped.
    firstTasks = setup.map { [$0.task] } ?? first
    if let teardown {
      Chain.connect(lastTasks, to: [teardown.task])
      if let setup { teardown.asTeardown(of: setup) } else { teardown.asTeardown() }
    }
  }
}

extension TaskGroup where Content: TaskOutput {
  /// Of the task whose output the closure has returned.
  public var output: Output<Content.Value> { Output(of: content.task) }
}

extension TaskGroup {
  @available(
    *, unavailable,
    message: "the output of a group is the one that its braces return; end them with: return count.output"
  )
  public var output: Output<Never> { fatalError("unavailable") }
}

/// An `Output`, whatever its value.
public protocol TaskOutput {
  associatedtype Value
  var task: TaskReference { get }
}

extension Output: TaskOutput {}
