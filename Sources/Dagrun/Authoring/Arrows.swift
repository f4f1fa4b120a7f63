precedencegroup DAGArrowPrecedence {
  associativity: left
  higherThan: AssignmentPrecedence
  lowerThan: TernaryPrecedence
}

/// `a --> b`: b starts after a. Both sides may be a task, an array of tasks, or a chain; every task that the left side
/// ends with comes before every task that the right side begins with.
///
///     extract --> [clean, count] --> report
infix operator --> : DAGArrowPrecedence

/// What an arrow connects: a task, or a chain of tasks.
public protocol Chainable {
  /// The tasks that an arrow to it leads to.
  var firstTasks: [TaskReference] { get }
  /// The tasks that an arrow from it starts at.
  var lastTasks: [TaskReference] { get }
}

/// Tasks connected by arrows.
public struct Chain: Chainable {
  public let firstTasks: [TaskReference]
  public let lastTasks: [TaskReference]

  init(
    _ left: (first: [TaskReference], last: [TaskReference]), _ right: (first: [TaskReference], last: [TaskReference])
  ) {
    Self.connect(left.last, to: right.first)
    // An arrow from or to nothing leaves the other side as it is.
    firstTasks = left.first.isEmpty ? right.first : left.first
    lastTasks = right.last.isEmpty ? left.last : right.last
  }

  static func connect(_ sources: [TaskReference], to targets: [TaskReference]) {
    for target in targets {
      for source in sources { target.builder.connect(source, to: target) }
    }
  }
}

private func ends(_ item: some Chainable) -> (first: [TaskReference], last: [TaskReference]) {
  (item.firstTasks, item.lastTasks)
}

private func ends(_ items: [any Chainable]) -> (first: [TaskReference], last: [TaskReference]) {
  (items.flatMap(\.firstTasks), items.flatMap(\.lastTasks))
}

@discardableResult
public func --> (left: some Chainable, right: some Chainable) -> Chain { Chain(ends(left), ends(right)) }

@discardableResult
public func --> (left: some Chainable, right: [any Chainable]) -> Chain { Chain(ends(left), ends(right)) }

@discardableResult
public func --> (left: [any Chainable], right: some Chainable) -> Chain { Chain(ends(left), ends(right)) }

@discardableResult
public func --> (left: [any Chainable], right: [any Chainable]) -> Chain { Chain(ends(left), ends(right)) }

// Airflow's spelling. Swift's own >> and << do not chain, so they cannot be used; say what to write.

@available(*, unavailable, message: "write a --> b, which also chains: a --> [b, c] --> d")
public func >> (left: some Chainable, right: some Chainable) -> Chain { fatalError("unavailable") }

@available(*, unavailable, message: "write a --> b, which also chains: a --> [b, c] --> d")
public func >> (left: some Chainable, right: [any Chainable]) -> Chain { fatalError("unavailable") }

@available(*, unavailable, message: "write a --> b, which also chains: a --> [b, c] --> d")
public func >> (left: [any Chainable], right: some Chainable) -> Chain { fatalError("unavailable") }

@available(*, unavailable, message: "write b --> a, which also chains: a --> [b, c] --> d")
public func << (left: some Chainable, right: some Chainable) -> Chain { fatalError("unavailable") }

@available(*, unavailable, message: "write b --> a, which also chains: a --> [b, c] --> d")
public func << (left: some Chainable, right: [any Chainable]) -> Chain { fatalError("unavailable") }

@available(*, unavailable, message: "write b --> a, which also chains: a --> [b, c] --> d")
public func << (left: [any Chainable], right: some Chainable) -> Chain { fatalError("unavailable") }
