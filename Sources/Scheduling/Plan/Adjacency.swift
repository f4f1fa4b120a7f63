/// The neighbours of each task by position, in one array: 4 bytes an edge.
struct Adjacency: Sendable {
  private var offsets: [Int32] = [0]
  private var neighbours: [Int32] = []

  init(_ lists: [[Int32]]) {
    offsets.reserveCapacity(lists.count + 1)
    neighbours.reserveCapacity(lists.reduce(0) { $0 + $1.count })
    for list in lists {
      neighbours.append(contentsOf: list)
      offsets.append(Int32(neighbours.count))
    }
  }

  /// The same edges, the other way around. Neighbours stay in order of position.
  var reversed: Adjacency {
    var lists = [[Int32]](repeating: [], count: count)
    for position in 0..<count {
      for neighbour in self[position] { lists[Int(neighbour)].append(Int32(position)) }
    }
    return Adjacency(lists)
  }

  var count: Int { offsets.count - 1 }

  func degree(of position: Int) -> Int { Int(offsets[position + 1] - offsets[position]) }

  subscript(position: Int) -> ArraySlice<Int32> {
    neighbours[Int(offsets[position])..<Int(offsets[position + 1])]
  }

  /// Every position that can be reached from `start`, without it.
  func reachable(from start: Int) -> [Int32] { reachable(from: [Int32(start)]) }

  /// Every position that can be reached from any of `starts`, without these.
  func reachable(from starts: [Int32]) -> [Int32] {
    var seen = [Bool](repeating: false, count: count)
    var found: [Int32] = []
    var next: [Int32] = []
    for start in starts {
      seen[Int(start)] = true
      next.append(contentsOf: self[Int(start)])
    }
    while let position = next.popLast() {
      if seen[Int(position)] { continue }
      seen[Int(position)] = true
      found.append(position)
      next.append(contentsOf: self[Int(position)])
    }
    return found
  }

  /// Positions so that each comes after its upstream (`self` being the downstream edges). Positions on a cycle are left
  /// out; DAG files with a cycle never get here.
  func topologicalOrder(upstream: Adjacency) -> [Int32] {
    var missing = (0..<count).map { upstream.degree(of: $0) }
    var order = (0..<count).filter { missing[$0] == 0 }.map(Int32.init)
    var index = 0
    while index < order.count {
      for neighbour in self[Int(order[index])] {
        missing[Int(neighbour)] -= 1
        if missing[Int(neighbour)] == 0 { order.append(neighbour) }
      }
      index += 1
    }
    return order
  }
}
