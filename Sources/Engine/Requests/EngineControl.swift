package import Control
internal import Dispatch

/// Reaches the engine in this process.
package struct EngineControl: Control {
  private let engine: Engine

  package init(_ engine: Engine) { self.engine = engine }

  package func send(_ request: ControlRequest) async throws -> ControlReply {
    let reply: ControlReply = await withCheckedContinuation { continuation in
      engine.queue.async { engine.handle(request) { continuation.resume(returning: $0) } }
    }
    if case .refused(let refusal) = reply { throw refusal }
    return reply
  }

  package func follow(run: Int64) -> AsyncThrowingStream<RunProgress, any Error> {
    AsyncThrowingStream { continuation in
      engine.queue.async {
        let follower = engine.handle(.follow(run: run)) { reply in
          switch reply {
          case .progress(let progress):
            continuation.yield(progress)
            if progress.isFinal { continuation.finish() }
          case .refused(let refusal): continuation.finish(throwing: refusal)
          default: break
          }
        }
        guard let follower else { return }
        continuation.onTermination = { _ in
          engine.queue.async { engine.followers.remove(follower) }
        }
      }
    }
  }
}
