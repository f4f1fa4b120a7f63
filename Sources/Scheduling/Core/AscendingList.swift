/// Values in ascending order, each once. Made for lists that grow at their end and lose what is old: adding the
/// greatest and removing the least cost O(1), finding one O(log n). One that is removed from the middle is only marked,
/// until half of the list is.
struct AscendingList<Element: Comparable & Sendable>: Sequence, Sendable {
  private var elements: [Element] = []
  private var isRemoved: [Bool] = []
  /// Of the first that is not removed.
  private var start = 0
  private(set) var count = 0

  init() {}

  init(_ elements: some Sequence<Element>) {
    for element in elements { insert(element) }
  }

  var isEmpty: Bool { count == 0 }

  var first: Element? { count == 0 ? nil : elements[start] }

  func makeIterator() -> AnyIterator<Element> {
    var index = start
    return AnyIterator {
      while index < elements.count {
        index += 1
        if !isRemoved[index - 1] { return elements[index - 1] }
      }
      return nil
    }
  }

  func contains(_ element: Element) -> Bool {
    let index = firstIndex(notBefore: element)
    return index < elements.count && elements[index] == element && !isRemoved[index]
  }

  /// The greatest that `isMeant`.
  func last(where isMeant: (Element) -> Bool) -> Element? {
    for index in elements.indices[start...].reversed() where !isRemoved[index] && isMeant(elements[index]) {
      return elements[index]
    }
    return nil
  }

  mutating func insert(_ element: Element) {
    let index = firstIndex(notBefore: element)
    if index < elements.count, elements[index] == element {
      guard isRemoved[index] else { return }
      isRemoved[index] = false
    } else {
      elements.insert(element, at: index)
      isRemoved.insert(false, at: index)
    }
    count += 1
  }

  mutating func remove(_ element: Element) {
    let index = firstIndex(notBefore: element)
    guard index < elements.count, elements[index] == element, !isRemoved[index] else { return }
    isRemoved[index] = true
    count -= 1
    tidy()
  }

  mutating func removeAll(upTo element: Element) {
    while start < elements.count, elements[start] <= element {
      if !isRemoved[start] { count -= 1 }
      isRemoved[start] = true
      start += 1
    }
    tidy()
  }

  private mutating func tidy() {
    while start < elements.count, isRemoved[start] { start += 1 }
    guard elements.count > 2 * count + 32 else { return }
    elements = Array(self)
    isRemoved = [Bool](repeating: false, count: elements.count)
    start = 0
  }

  private func firstIndex(notBefore element: Element) -> Int {
    var (low, high) = (start, elements.count)
    if let last = elements.last, last < element { low = high }
    while low < high {
      let middle = (low + high) / 2
      if elements[middle] < element { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
