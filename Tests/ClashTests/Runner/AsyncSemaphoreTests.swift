import Synchronization
import Testing

@testable import Clash

@Suite struct AsyncSemaphoreTests {
  private final class Room: Sendable {
    private let counts = Mutex((inside: 0, most: 0, total: 0))

    func come() {
      counts.withLock {
        $0.inside += 1
        $0.total += 1
        $0.most = max($0.most, $0.inside)
      }
    }
    func go() { counts.withLock { $0.inside -= 1 } }
    var most: Int { counts.withLock(\.most) }
    var total: Int { counts.withLock(\.total) }
  }

  @Test func `no more are through at once than there are places, and all get through`() async {
    let semaphore = AsyncSemaphore(places: 3)
    let room = Room()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        group.addTask {
          await semaphore.enter()
          room.come()
          await Task.yield()
          room.go()
          await semaphore.leave()
        }
      }
    }
    #expect(room.most <= 3 && room.total == 100)
    // All places are free again.
    for _ in 0..<3 { await semaphore.enter() }
  }
}
