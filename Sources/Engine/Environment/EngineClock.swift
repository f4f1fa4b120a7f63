package import Dagrun
internal import Dispatch
internal import Glibc
internal import Processes

/// The time, as an engine has it. Confined to the engine's queue.
package protocol EngineClock: AnyObject {
  func now() -> Timestamp
  /// Calls `alarmFired` at the moment, by the wall clock: also when that is set, or the machine has slept. Replaces the
  /// last alarm; nil: there is none.
  func setAlarm(_ moment: Timestamp?)
  var alarmFired: () -> Void { get set }
  /// Calls `body` after so long, and never from within this call.
  func after(_ seconds: Double, _ body: @escaping () -> Void)
  /// Sets off nothing more.
  func stop()
}

/// The machine's.
final class WallClock: EngineClock {
  private let queue: DispatchQueue
  private let timer: any DispatchSourceTimer
  var alarmFired: () -> Void = {}

  init(queue: DispatchQueue) {
    self.queue = queue
    timer = DispatchSource.makeTimerSource(queue: queue)
    timer.setEventHandler { [weak self] in self?.alarmFired() }
    timer.resume()
  }

  func now() -> Timestamp { Timestamp(microseconds: wallClockMicroseconds()) }

  /// The year 2200.
  private static let latestAlarmMicroseconds: Int64 = 7_258_118_400_000_000

  func setAlarm(_ moment: Timestamp?) {
    guard let moment else { return timer.schedule(deadline: .distantFuture) }
    // Dispatch counts in nanoseconds, which end in the year 2262: beyond, the timer would fire at once, and for ever.
    let microseconds = min(max(moment.microseconds, 0), Self.latestAlarmMicroseconds)
    let time = timespec(tv_sec: Int(microseconds / 1_000_000), tv_nsec: Int(microseconds % 1_000_000) * 1000)
    timer.schedule(wallDeadline: DispatchWallTime(timespec: time), leeway: .milliseconds(1))
  }

  func after(_ seconds: Double, _ body: @escaping () -> Void) {
    let body = UncheckedSendableBox(body)
    if seconds <= 0 { return queue.async { body.body() } }
    queue.asyncAfter(deadline: .now() + seconds) { body.body() }
  }

  func stop() { timer.cancel() }
}
