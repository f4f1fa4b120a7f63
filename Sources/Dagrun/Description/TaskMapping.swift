/// What a task is mapped over: a run has one instance of it for each element, numbered from 0 (`map_index`).
package struct TaskMapping: Hashable, Codable, Sendable {
  /// At least one.
  package var lists: [List]
  package var combination: Combination

  package enum List: Hashable, Codable, Sendable {
    /// The list that a task hands on; of a task that is mapped itself, the list of what its instances hand on.
    case output(taskID: String)
    /// Elements that the DAG file says, each as JSON text.
    case literal([String])
  }

  /// How several lists become one.
  package enum Combination: String, Hashable, Codable, Sendable {
    /// Each element of the first with each of the second: all of the second for the first's first, and so on.
    case product
    /// First with first, second with second, as far as the shortest has elements.
    case pairs
  }

  package init(_ lists: [List], _ combination: Combination = .product) {
    self.lists = lists
    self.combination = combination
  }

  /// The tasks whose lists it is mapped over.
  package var taskIDs: [String] {
    lists.compactMap { if case .output(let taskID) = $0 { taskID } else { nil } }
  }

  /// How many instances there are.
  ///
  /// - Parameter lengths: of the lists, in their order.
  package func count(_ lengths: [Int]) -> Int {
    switch combination {
    case .pairs: lengths.min() ?? 0
    case .product: lengths.reduce(1) { $0.multipliedSaturating(by: $1) }
    }
  }

  /// Which element of each list an instance has.
  package func indices(at mapIndex: Int, _ lengths: [Int]) -> [Int] {
    switch combination {
    case .pairs: return lengths.map { _ in mapIndex }
    case .product:
      var rest = mapIndex
      var indices: [Int] = []
      for length in lengths.reversed() {
        indices.append(rest % max(1, length))
        rest /= max(1, length)
      }
      return indices.reversed()
    }
  }
}
