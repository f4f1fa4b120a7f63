package import Dagrun
internal import Engine

/// A clock that stands still until a test moves it.
package final class FakeClock: EngineClock {
  private struct Call {
    var moment: Timestamp
    var order: Int
    var body: () -> Void
  }

  private var moment: Timestamp
  private var calls: [Call] = []
  private var lastOrder = 0
  private var alarm: Timestamp?
  package var alarmFired: () -> Void = {}

  package init(_ moment: Timestamp) { self.moment = moment }

  package func now() -> Timestamp { moment }
  package func setAlarm(_ moment: Timestamp?) { alarm = moment }

  package func after(_ seconds: Double, _ body: @escaping () -> Void) {
    lastOrder += 1
    calls.append(Call(moment: moment.adding(seconds: max(0, seconds)), order: lastOrder, body: body))
  }

  package func stop() {
    calls = []
    alarm = nil
  }

  /// When something happens next by itself.
  package var next: Timestamp? { [calls.map(\.moment).min(), alarm].compactMap(\.self).min() }

  /// Sets the time and nothing off.
  package func set(_ moment: Timestamp) { self.moment = moment }

  /// Sets off one thing that is due.
  ///
  /// - Returns: false when nothing is.
  @discardableResult
  package func fire() -> Bool {
    let due = calls.indices.filter { calls[$0].moment <= moment }
      .min { (calls[$0].moment, calls[$0].order) < (calls[$1].moment, calls[$1].order) }
    if let due {
      calls.remove(at: due).body()
      return true
    }
    guard let alarm, alarm <= moment else { return false }
    self.alarm = nil
    alarmFired()
    return true
  }

  /// Goes through all that happens until then, each at its time.
  package func advance(to end: Timestamp) {
    while let next, next <= end {
      moment = max(moment, next)
      fire()
    }
    moment = max(moment, end)
  }

  package func advance(seconds: Double) { advance(to: moment.adding(seconds: seconds)) }
}
