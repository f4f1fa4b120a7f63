internal import Foundation

/// Keeps a token until shortly before it expires. However many wait for a new one, it is asked for once.
actor TokenCache {
  /// As google-auth does: the metadata server has a new token from 5 minutes before the end on.
  static let refreshSecondsBeforeExpiry = 225.0

  private let world: CloudEnvironment
  private let fetch: @Sendable () async throws(CloudError) -> Grant
  private var kept: Grant?
  private var refresh: Task<Void, Never>?
  private var waiting: [Int: UnsafeContinuation<Result<Grant, CloudError>, Never>] = [:]
  private var nextNumber = 0

  init(_ world: CloudEnvironment, _ fetch: @escaping @Sendable () async throws(CloudError) -> Grant) {
    self.world = world
    self.fetch = fetch
  }

  func grant() async throws(CloudError) -> Grant {
    if let kept, isFresh(kept, margin: Self.refreshSecondsBeforeExpiry) { return kept }
    nextNumber += 1
    let number = nextNumber
    let result = await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in wait(number, continuation) }
    } onCancel: {
      Task { await self.cancel(number) }
    }
    return try result.get()
  }

  /// The token was refused: the next to ask gets another. Does nothing when it is no longer the one kept.
  func forget(_ refused: Grant) {
    if kept == refused { kept = nil }
  }

  private func wait(_ number: Int, _ continuation: UnsafeContinuation<Result<Grant, CloudError>, Never>) {
    if Task.isCancelled { return continuation.resume(returning: Self.abandoned) }
    waiting[number] = continuation
    if refresh == nil { refresh = Task { await self.renew() } }
  }

  /// The others keep waiting.
  private func cancel(_ number: Int) {
    waiting.removeValue(forKey: number)?.resume(returning: Self.abandoned)
  }

  private func renew() async {
    var result: Result<Grant, CloudError>
    do throws(CloudError) {
      let grant = try await fetch()
      kept = grant
      result = .success(grant)
    } catch {
      // For some minutes the old one still opens the door.
      if let kept, error.isTransient, isFresh(kept, margin: 0) {
        result = .success(kept)
      } else {
        result = .failure(error)
      }
    }
    refresh = nil
    let all = waiting
    waiting = [:]
    for continuation in all.values { continuation.resume(returning: result) }
  }

  private func isFresh(_ grant: Grant, margin: Double) -> Bool {
    guard let expiresAt = grant.token?.expiresAt else { return true }
    return expiresAt.timeIntervalSince(world.now()) > margin
  }

  private static let abandoned: Result<Grant, CloudError> = .failure(
    CloudError(.cancelled, operation: "sign in to", subject: "Google Cloud", message: "cancelled"))
}
