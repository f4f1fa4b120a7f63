package import Dagrun
import Foundation
package import Model

/// When the runs of a DAG are due, and which dates they have.
///
/// As in Airflow 3, a plain cron schedule is a *trigger* timetable: the run is due at the tick, which is its logical
/// date and both ends of its data interval. A `dataInterval` schedule keeps Airflow 2's meaning: the run is due when
/// the interval between two ticks has ended, and its logical date is the interval's start.
package struct Timetable: Sendable {
  let rhythm: Rhythm

  enum Rhythm: Sendable {
    case once, continuous
    /// The run at each tick.
    case ticks(CronTicks)
    /// The run of the interval after each tick, when it has ended.
    case intervals(CronTicks)
  }

  /// nil: the DAG has no schedule, or one that cannot be read (DAG files with such a one are refused before).
  package init?(_ schedule: Schedule) {
    switch schedule.kind {
    case .none: return nil
    case .once: rhythm = .once
    case .continuous: rhythm = .continuous
    case .cron(let expression, let timeZone):
      guard let ticks = CronTicks(expression, timeZone: timeZone, gap: schedule.gap, fold: schedule.fold) else {
        return nil
      }
      rhythm = .ticks(ticks)
    case .dataInterval(let expression, let timeZone):
      guard let ticks = CronTicks(expression, timeZone: timeZone, gap: schedule.gap, fold: schedule.fold) else {
        return nil
      }
      rhythm = .intervals(ticks)
    }
  }

  /// One run as the schedule asks for it.
  package struct DueRun: Hashable, Sendable {
    package var logicalDate: Timestamp
    package var dataInterval: DataInterval
    package var runAfter: Timestamp
  }

  /// Whether the schedule has dates of its own, so that a range of them can be filled in.
  package var hasTicks: Bool { ticks != nil }

  private var ticks: CronTicks? {
    switch rhythm {
    case .once, .continuous: nil
    case .ticks(let ticks), .intervals(let ticks): ticks
    }
  }

  /// A run follows the one before, as soon as that has ended.
  var isContinuous: Bool { if case .continuous = rhythm { true } else { false } }

  /// The run at the first tick after `date`. nil: there is none, or the schedule has no ticks.
  package func next(after date: Timestamp) -> DueRun? {
    ticks?.next(after: date).flatMap(run)
  }

  /// The run at the first tick that is not before `date`.
  package func first(notBefore date: Timestamp) -> DueRun? {
    next(after: date.justBefore)
  }

  /// The newest run that is due at `now`.
  package func newest(dueAt now: Timestamp) -> DueRun? {
    switch rhythm {
    case .once, .continuous: return nil
    case .ticks(let ticks): return ticks.last(notAfter: now).flatMap(run)
    case .intervals(let ticks):
      guard let end = ticks.last(notAfter: now) else { return nil }
      return ticks.last(notAfter: end.justBefore).flatMap(run)
    }
  }

  /// The run with the newest logical date before `date`, due or not.
  package func last(before date: Timestamp) -> DueRun? {
    ticks?.last(notAfter: date.justBefore).flatMap(run)
  }

  /// The first runs whose logical dates lie in the range, both bounds included: no more than `limit`.
  package func ticks(in range: ClosedRange<Timestamp>, limit: Int) -> [DueRun] {
    var runs: [DueRun] = []
    var next = first(notBefore: range.lowerBound)
    while let run = next, run.logicalDate <= range.upperBound, runs.count < limit {
      runs.append(run)
      next = self.next(after: run.logicalDate)
    }
    return runs
  }

  private func run(at tick: Timestamp) -> DueRun? {
    switch rhythm {
    case .intervals(let ticks):
      guard let end = ticks.next(after: tick) else { return nil }
      return DueRun(logicalDate: tick, dataInterval: DataInterval(start: tick, end: end), runAfter: end)
    case .ticks, .once, .continuous:
      return DueRun(logicalDate: tick, dataInterval: DataInterval(start: tick, end: tick), runAfter: tick)
    }
  }
}

extension Timetable {
  /// When the next run after `last` is due, without regard to what was missed. nil: never.
  func nextDue(last: Timestamp?, startDate: Timestamp?, endDate: Timestamp?) -> Timestamp? {
    switch rhythm {
    case .once: return last == nil ? startDate ?? .longAgo : nil
    case .continuous:
      let next = max(last?.adding(seconds: Self.continuousPauseSeconds) ?? .longAgo, startDate ?? .longAgo)
      return endDate.map { next > $0 } == true ? nil : next
    case .ticks, .intervals:
      let run: DueRun?
      if let last {
        let first = max(last.justAfter, startDate ?? .longAgo)
        run = self.first(notBefore: first)
      } else if let startDate {
        run = first(notBefore: startDate)
      } else {
        // Airflow starts such a DAG with the newest tick there was.
        return .longAgo
      }
      guard let run, endDate.map({ run.logicalDate > $0 }) != true else { return nil }
      return run.runAfter
    }
  }

  /// The run to make at `now`, when one is due. Without `catchup` only the newest missed one.
  func due(
    at now: Timestamp, last: Timestamp?, startDate: Timestamp?, endDate: Timestamp?, catchup: Bool
  ) -> DueRun? {
    guard let due = nextDue(last: last, startDate: startDate, endDate: endDate), due <= now else { return nil }
    switch rhythm {
    case .once:
      let date = startDate ?? now
      return DueRun(logicalDate: date, dataInterval: DataInterval(start: date, end: date), runAfter: date)
    case .continuous:
      return DueRun(logicalDate: now, dataInterval: DataInterval(start: last ?? now, end: now), runAfter: now)
    case .ticks, .intervals:
      let earliest = [last?.justAfter, startDate].compactMap(\.self).max()
      let oldest = earliest.flatMap(first(notBefore:))
      var run = catchup ? oldest : nil
      if run == nil, let newest = newest(dueAt: now) {
        run = earliest.map { newest.logicalDate < $0 } == true ? oldest : newest
      }
      guard let run, run.runAfter <= now, endDate.map({ run.logicalDate > $0 }) != true else { return nil }
      return run
    }
  }

  /// A continuous DAG whose tasks do nothing must not keep the machine busy.
  static let continuousPauseSeconds = 1.0
}

extension Timestamp {
  /// 1970: before every date that a DAG file can mean.
  static let longAgo = Timestamp(microseconds: 0)

  // Dates come from outside, and may be any number.
  fileprivate var justBefore: Timestamp { Timestamp(microseconds: max(microseconds, .min + 1) - 1) }
  fileprivate var justAfter: Timestamp { Timestamp(microseconds: min(microseconds, .max - 1) + 1) }
}
