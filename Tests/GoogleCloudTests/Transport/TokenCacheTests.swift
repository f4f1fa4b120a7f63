import Foundation
import Synchronization
import Testing

@testable import GoogleCloud

/// One token for all who ask, renewed in time.
struct TokenCacheTests {
  private let clock = StubClock()

  private final class Source: Sendable {
    let count = Mutex(0)
    let failure = Mutex<CloudError?>(nil)
    let asked = Occurrences()
    let gate: Occurrences?
    let lifetime: Double
    let now: @Sendable () -> Date

    init(_ clock: StubClock, lifetime: Double = 3600, gate: Occurrences? = nil) {
      now = clock.world().now
      self.lifetime = lifetime
      self.gate = gate
    }

    func fetch() async throws(CloudError) -> Grant {
      let number = count.withLock {
        $0 += 1
        return $0
      }
      asked.happened()
      await gate?.wait()
      if let failure = failure.withLock({ $0 }) { throw failure }
      return Grant(token: AccessToken(Secret("t\(number)"), expiresAt: now().addingTimeInterval(lifetime)))
    }
  }

  private func cache(_ source: Source) -> TokenCache {
    TokenCache(clock.world()) { () async throws(CloudError) in try await source.fetch() }
  }

  @Test func `however many wait, one token is asked for`() async throws {
    let gate = Occurrences()
    let source = Source(clock, gate: gate)
    let cache = cache(source)
    let tokens = try await withThrowingTaskGroup(of: Grant.self) { group in
      for _ in 0..<200 { group.addTask { try await cache.grant() } }
      await source.asked.wait()
      gate.happened()
      return try await group.reduce(into: Set<Grant>()) { $0.insert($1) }
    }
    #expect(tokens.map { $0.token?.secret.revealed } == ["t1"])
    #expect(source.count.withLock { $0 } == 1)
  }

  @Test func `a token is renewed 225 seconds before it expires`() async throws {
    let source = Source(clock)
    let cache = cache(source)
    _ = try await cache.grant()
    clock.advance(3600 - 226)
    #expect(try await cache.grant().token?.secret.revealed == "t1")
    clock.advance(1)
    #expect(try await cache.grant().token?.secret.revealed == "t2")
  }

  @Test func `an old token is used while it lasts when there is no new one for now`() async throws {
    let source = Source(clock)
    let cache = cache(source)
    _ = try await cache.grant()
    clock.advance(3500)
    source.failure.withLock { $0 = CloudError(.network, operation: "o", subject: "s", message: "m") }
    #expect(try await cache.grant().token?.secret.revealed == "t1")
    clock.advance(100)
    #expect(await error { try await cache.grant() }?.reason == .network)
    source.failure.withLock { $0 = nil }
    #expect(try await cache.grant().token?.secret.revealed == "t4", "a failure is not kept")
  }

  @Test func `a refusal of the credentials is told at once`() async throws {
    let source = Source(clock)
    let cache = cache(source)
    _ = try await cache.grant()
    clock.advance(3500)
    source.failure.withLock { $0 = CloudError(.unauthenticated, operation: "o", subject: "s", message: "m") }
    #expect(await error { try await cache.grant() }?.reason == .unauthenticated)
  }

  @Test func `a refused token is forgotten once, however many were refused with it`() async throws {
    let source = Source(clock)
    let cache = cache(source)
    let first = try await cache.grant()
    await cache.forget(first)
    let second = try await cache.grant()
    await cache.forget(first)
    #expect(try await cache.grant() == second)
    #expect(source.count.withLock { $0 } == 2)
  }

  @Test func `who no longer waits leaves at once, and the others get the token`() async throws {
    let gate = Occurrences()
    let source = Source(clock, gate: gate)
    let cache = cache(source)
    let impatient = Task { await error { try await cache.grant() } }
    let patient = Task { try await cache.grant() }
    await source.asked.wait()
    impatient.cancel()
    #expect(await impatient.value?.reason == .cancelled)
    gate.happened()
    #expect(try await patient.value.token?.secret.revealed == "t1")
  }

  @Test func `a token that never expires is kept`() async throws {
    let cache = TokenCache(clock.world()) { () async throws(CloudError) in
      Grant(token: AccessToken(Secret("fixed"), expiresAt: nil))
    }
    _ = try await cache.grant()
    clock.advance(1e9)
    #expect(try await cache.grant().token?.secret.revealed == "fixed")
  }

  @Test func `a secret is never printed`() {
    let grant = Grant(token: AccessToken(Secret("p4ssword"), expiresAt: nil), quotaProject: "payer")
    var dumped = ""
    dump(grant, to: &dumped)
    for text in ["\(grant)", String(reflecting: grant), dumped, "\(grant.token!.secret)"] {
      #expect(!text.contains("p4ssword"), "\(text)")
    }
    #expect("bad token p4ssword!".hiding([Secret("p4ssword"), Secret("")]) == "bad token [secret]!")
  }
}
