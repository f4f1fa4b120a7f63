internal import Foundation
internal import HeapModule

/// What is to happen when. Entries of the same time come out in the order in which they went in.
struct TimerQueue<Event> {
  private var heap = Heap<Entry>()
  private var count: UInt64 = 0

  private struct Entry: Comparable {
    var time: Date
    var order: UInt64
    var event: Event

    static func < (left: Entry, right: Entry) -> Bool { (left.time, left.order) < (right.time, right.order) }
    static func == (left: Entry, right: Entry) -> Bool { left.order == right.order }
  }

  var nextTime: Date? { heap.min?.time }

  mutating func add(_ event: Event, at time: Date) {
    count += 1
    heap.insert(Entry(time: time, order: count, event: event))
  }

  /// The next entry whose time has come.
  mutating func popDue(at now: Date) -> (time: Date, event: Event)? {
    guard let first = heap.min, first.time <= now else { return nil }
    heap.removeMin()
    return (first.time, first.event)
  }
}
