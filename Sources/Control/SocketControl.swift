internal import Dispatch
internal import Foundation
internal import Glibc
package import Model
internal import Processes

/// Reaches the scheduler that another process is, over the home's socket.
package struct SocketControl: Control {
  private let home: Home

  /// nil when no scheduler listens in this home.
  package init?(_ home: Home) {
    guard let descriptor = try? ControlSocket.connect(to: home) else { return nil }
    close(descriptor)
    self.home = home
  }

  /// - Throws: `ControlError`: `gone` when the scheduler went away before it answered; if it was killed, what was
  ///   asked may or may not have been done, so ask again with the same run id.
  package func send(_ request: ControlRequest) async throws -> ControlReply {
    let exchange = try Exchange(home, request)
    return try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          with: Result {
            guard let reply = try exchange.next() else { throw Self.gone(home) }
            if case .refused(let refusal) = reply { throw refusal }
            return reply
          })
      }
    }
  }

  package func follow(run: Int64) -> AsyncThrowingStream<RunProgress, any Error> {
    AsyncThrowingStream { continuation in
      do {
        let exchange = try Exchange(home, .follow(run: run))
        continuation.onTermination = { _ in exchange.hangUp() }
        DispatchQueue.global().async {
          do {
            while true {
              switch try exchange.next() {
              case .progress(let progress):
                continuation.yield(progress)
                if progress.isFinal { return continuation.finish() }
              case .refused(let refusal): throw refusal
              case nil: throw Self.gone(home)
              case .some: break
              }
            }
          } catch {
            continuation.finish(throwing: error)
          }
        }
      } catch {
        continuation.finish(throwing: error)
      }
    }
  }

  private static func gone(_ home: Home) -> ControlError {
    ControlError(.gone, "the scheduler of \(home.path) went away before it answered; try again")
  }

  /// One connection: a request sent, and its answers. Blocks the thread that reads.
  private final class Exchange: @unchecked Sendable {
    // Written only by `next`, which one thread calls; `hangUp` only shuts the socket down, which is safe from any.
    private let descriptor: Int32
    private var received = LineBuffer()

    init(_ home: Home, _ request: ControlRequest) throws {
      do {
        guard let descriptor = try ControlSocket.connect(to: home) else { throw SocketControl.gone(home) }
        self.descriptor = descriptor
      } catch let error as SystemError {
        throw ControlError(.unavailable, "\(error)")
      }
      let line = ControlLine.encode(request)
      var sent = 0
      while sent < line.count {
        let count = line.withUnsafeBytes { bytes in
          retrying {
            Glibc.send(descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
          }
        }
        guard count > 0 else {
          Glibc.close(descriptor)
          throw SocketControl.gone(home)
        }
        sent += count
      }
    }

    deinit { Glibc.close(descriptor) }

    func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// nil when the scheduler has closed the connection.
    func next() throws -> ControlReply? {
      while true {
        if let line = try received.next() {
          do {
            return try JSONDecoder().decode(ControlReply.self, from: line)
          } catch {
            // It was done, here too.
            throw ControlError(
              .unavailable,
              "the scheduler's answer cannot be read; is it of another version of dagrun? See what became of the request"
            )
          }
        }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = retrying { read(descriptor, &chunk, chunk.count) }
        guard count > 0 else {
          // It was done, so it must not be asked for again.
          if received.isInsideLine {
            throw ControlError(.unavailable, "the scheduler's answer broke off; see what became of the request")
          }
          return nil
        }
        received.append(chunk[..<count])
      }
    }
  }
}
