/// Pulls that wait for messages, in the order in which they came. Whoever goes away leaves its place in the order,
/// which is passed over, and swept when such places are the most: a client that ends may leave ten thousand at once.
struct HeldPulls: Sendable {
  private var limits: [RequestID: Int] = [:]
  private var order: [RequestID] = []
  private var next = 0

  var requests: [RequestID] { order[next...].filter { limits[$0] != nil } }

  mutating func add(_ request: RequestID, limit: Int) {
    limits[request] = limit
    order.append(request)
  }

  /// The one that has waited longest, and how many messages it takes.
  mutating func first() -> (request: RequestID, limit: Int)? {
    while next < order.count {
      let request = order[next]
      if let limit = limits[request] { return (request, limit) }
      next += 1
    }
    return nil
  }

  mutating func remove(_ request: RequestID) {
    limits[request] = nil
    guard order.count > 2 * limits.count + 16 else { return }
    order = requests
    next = 0
  }
}
