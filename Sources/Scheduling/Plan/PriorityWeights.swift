import Dagrun

/// The priority of a task is its own weight, plus those of all tasks that can be reached from it: downstream or
/// upstream, each counted once (Airflow's `priority_weight_total`).
///
/// Adding up the sums of the neighbours would count a task as often as there are paths to it, so the sets of reachable
/// tasks are needed. Most tasks never need them: the sum of one that has a single neighbour, or only neighbours that
/// nothing else leads to (a tree), is plain addition. For the rest, sets are kept as bits, 256 tasks of the set at a
/// time, so that a DAG of n tasks and e edges takes n/256 passes over its edges and 32 bytes a task: 0.2 s for 100,000
/// tasks in layers. Beyond `exactWorkLimit` (millions of tasks that are not a tree) paths are counted instead.
struct PriorityWeights {
  static let exactWorkLimit = 40_000_000_000

  let weights: [Int64]
  let downstream: Adjacency
  let upstream: Adjacency
  let order: [Int32]

  func total(_ rule: WeightRule) -> [Int64] {
    switch rule {
    case .absolute: weights
    case .downstream: sums(next: downstream, previous: upstream, order: order.reversed())
    case .upstream: sums(next: upstream, previous: downstream, order: order)
    }
  }

  /// `order`: each position after all that `next` leads to.
  private func sums(next: Adjacency, previous: Adjacency, order: [Int32]) -> [Int64] {
    var sums = weights
    // Whether no task is reached from it by two paths.
    var isTree = [Bool](repeating: true, count: weights.count)
    var needsSet: [Int32] = []
    for position in order.lazy.map(Int.init) {
      let neighbours = next[position]
      for neighbour in neighbours where next.degree(of: position) > 1 {
        if !isTree[Int(neighbour)] || previous.degree(of: Int(neighbour)) > 1 { isTree[position] = false }
      }
      if neighbours.count == 1, let only = neighbours.first {
        isTree[position] = isTree[Int(only)] && previous.degree(of: Int(only)) == 1
      }
      if neighbours.count <= 1 || isTree[position] {
        for neighbour in neighbours { sums[position] = sums[position].addingSaturating(sums[Int(neighbour)]) }
      } else {
        needsSet.append(Int32(position))
      }
    }
    guard !needsSet.isEmpty else { return sums }
    let edges = (0..<weights.count).reduce(0) { $0 + next.degree(of: $1) }
    if (weights.count / 256 + 1) * (edges + weights.count) > Self.exactWorkLimit {
      countPaths(&sums, next: next, order: order)
    } else if needsSet.count <= 64 {
      for position in needsSet {
        sums[Int(position)] = next.reachable(from: Int(position)).reduce(weights[Int(position)]) {
          $0.addingSaturating(weights[Int($1)])
        }
      }
      addSingleNeighbours(&sums, next: next, order: order, exact: Set(needsSet))
    } else {
      sumSets(&sums, next: next, order: order)
    }
    return sums
  }

  /// Those with one neighbour were added up before the sums they stand on were exact.
  private func addSingleNeighbours(_ sums: inout [Int64], next: Adjacency, order: [Int32], exact: Set<Int32>) {
    for position in order where !exact.contains(position) {
      sums[Int(position)] = next[Int(position)].reduce(weights[Int(position)]) {
        $0.addingSaturating(sums[Int($1)])
      }
    }
  }

  private func countPaths(_ sums: inout [Int64], next: Adjacency, order: [Int32]) {
    for position in order.lazy.map(Int.init) {
      sums[position] = next[position].reduce(weights[position]) { $0.addingSaturating(sums[Int($1)]) }
    }
  }

  private func sumSets(_ sums: inout [Int64], next: Adjacency, order: [Int32]) {
    sums = [Int64](repeating: 0, count: weights.count)
    let commonWeight = weights.allSatisfy { $0 == weights[0] } ? weights[0] : nil
    var sets = [SIMD4<UInt64>](repeating: .zero, count: weights.count)
    for first in stride(from: 0, to: order.count, by: 256) {
      let block = order[first..<min(first + 256, order.count)]
      // Nothing before the block in the order leads into it.
      for index in first..<order.count {
        let position = Int(order[index])
        var set = SIMD4<UInt64>.zero
        for neighbour in next[position] { set |= sets[Int(neighbour)] }
        if index < first + 256 { set[(index - first) / 64] |= 1 << UInt64((index - first) % 64) }
        sets[position] = set
        if set != .zero { sums[position] = sums[position].addingSaturating(sum(set, of: block, common: commonWeight)) }
      }
      for index in 0..<sets.count { sets[index] = .zero }
    }
  }

  private func sum(_ set: SIMD4<UInt64>, of block: ArraySlice<Int32>, common: Int64?) -> Int64 {
    if let common {
      let count = set[0].nonzeroBitCount + set[1].nonzeroBitCount + set[2].nonzeroBitCount + set[3].nonzeroBitCount
      return common.multipliedSaturating(by: Int64(count))
    }
    var total: Int64 = 0
    for lane in 0..<4 {
      var bits = set[lane]
      while bits != 0 {
        let offset = lane * 64 + bits.trailingZeroBitCount
        total = total.addingSaturating(weights[Int(block[block.startIndex + offset])])
        bits &= bits - 1
      }
    }
    return total
  }
}
