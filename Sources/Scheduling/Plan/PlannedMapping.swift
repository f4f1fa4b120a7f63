import Dagrun

/// What a task is mapped over, by position.
struct PlannedMapping: Sendable {
  let lists: [List]
  private let mapping: TaskMapping

  enum List: Sendable {
    /// The output of the task at a position; of a mapped task, what its instances hand on.
    case output(Int32)
    case literal(count: Int)
    /// The output of a task that the plan does not have.
    case missing(taskID: String)
  }

  init(_ mapping: TaskMapping, _ position: (String) -> Int32?) {
    self.mapping = mapping
    lists = mapping.lists.map { list in
      switch list {
      case .literal(let elements): .literal(count: elements.count)
      case .output(let taskID): position(taskID).map(List.output) ?? .missing(taskID: taskID)
      }
    }
  }

  /// Of those lists that are outputs.
  var positions: [Int32] {
    lists.compactMap { if case .output(let position) = $0 { position } else { nil } }
  }

  /// How many instances there are.
  func count(_ lengths: [Int]) -> Int { mapping.count(lengths) }
}
