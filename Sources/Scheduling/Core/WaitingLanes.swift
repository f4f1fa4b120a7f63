import HeapModule

/// Lanes that found one limit exhausted, by how much of it their tasks need.
struct WaitingLanes: Sendable {
  private var bins: [(need: Int32, lanes: Heap<LaneReference>)] = []
  /// The limit has room again, and is on the list of those that are looked at.
  private(set) var isFreed = false

  /// The limit has room again. True: it has to be put on that list now.
  mutating func markFreed() -> Bool {
    if isFreed || bins.allSatisfy(\.lanes.isEmpty) { return false }
    isFreed = true
    return true
  }

  mutating func park(_ reference: LaneReference, need: Int32 = 0) {
    if let index = bins.firstIndex(where: { $0.need == need }) {
      bins[index].lanes.insert(reference)
    } else {
      bins.append((need, [reference]))
    }
  }

  /// Brings back the best lane whose need `fits`. False: there is none, and the limit goes off that list.
  mutating func promoteBest(
    in queue: inout ReadyQueue, from place: ReadyQueue.Place, where fits: (Int32) -> Bool
  ) -> Bool {
    var best: (bin: Int, reference: LaneReference)?
    for bin in bins.indices where fits(bins[bin].need) {
      guard let reference = queue.best(of: &bins[bin].lanes, at: place) else { continue }
      if best.map({ reference < $0.reference }) ?? true { best = (bin, reference) }
    }
    guard let best else {
      isFreed = false
      return false
    }
    return queue.promoteBest(of: &bins[best.bin].lanes, at: place)
  }
}
