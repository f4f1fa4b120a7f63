import Foundation
import Testing

@testable import Processes

/// Of the process: one test has all of it.
@Suite(.timeLimit(.minutes(1))) struct SignalPipeTests {
  @Test func `the mark comes behind the signals that were sent before it`() async throws {
    let descriptor = try SignalPipe.open([SIGUSR2])
    let bytes = await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        var all: [UInt8] = []
        for _ in 0..<50 {
          // A signal that waits is one, however often it is sent: each is read before the next.
          kill(getpid(), SIGUSR2)
          SignalPipe.sendMark()
          while all.last != SignalPipe.mark || all.isEmpty {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            _ = poll(&entry, 1, -1)
            all += SignalPipe.read(descriptor)
          }
          all.append(0)
        }
        continuation.resume(returning: all)
      }
    }
    #expect(bytes == (0..<50).flatMap { _ in [UInt8(SIGUSR2), SignalPipe.mark, 0] })
  }
}
