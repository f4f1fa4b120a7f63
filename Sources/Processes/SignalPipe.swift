internal import CLinux
internal import Glibc

/// The signals that this process gets, in the order in which it gets them, as bytes of a pipe; for the life of the
/// process.
///
/// A Dispatch source for each signal would tell nothing of their order, nor of whether one is still on its way.
package enum SignalPipe {
  /// Has a higher number than any other, and the kernel delivers the lowest first: when its byte comes, those of all
  /// signals that were sent before `sendMark()` have come. So it is where one thread takes all signals: those of
  /// Dispatch block them, and the main thread waits for them in `dispatchMain`.
  package static let mark = UInt8(clinux_last_signal())

  /// - Returns: the read end, which never blocks.
  package static func open(_ signals: [Int32]) throws(SystemError) -> Int32 {
    var numbers = signals + [Int32(mark)]
    let descriptor = clinux_signals_to_pipe(&numbers, Int32(numbers.count))
    guard descriptor >= 0 else { throw SystemError("listen to signals") }
    return descriptor
  }

  /// Appends the mark, behind the signals that were sent before.
  package static func sendMark() { kill(getpid(), Int32(mark)) }

  /// What has come, in order; empty when nothing has.
  package static func read(_ descriptor: Int32) -> [UInt8] {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 256)
    while true {
      let count = retrying { Glibc.read(descriptor, &buffer, buffer.count) }
      guard count > 0 else { return all }
      all += buffer[..<count]
    }
  }
}
