/// Lets some through at a time, in the order in which they came.
actor AsyncSemaphore {
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []
  private var firstWaiting = 0

  init(places: Int) { free = places }

  func enter() async {
    if free > 0 {
      free -= 1
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  /// The longest waiter has the place.
  func leave() {
    guard firstWaiting < waiting.count else {
      free += 1
      return
    }
    waiting[firstWaiting].resume()
    firstWaiting += 1
    if firstWaiting == waiting.count {
      waiting = []
      firstWaiting = 0
    }
  }
}
