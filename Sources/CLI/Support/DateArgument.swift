import ArgumentParser
import Dagrun
import Foundation
import Model
import Scheduling
import Storage

/// A date as people type it: a moment, or a whole day, which begins and ends by the clock of the DAG's time zone.
enum DateArgument: Hashable, Sendable {
  case moment(Timestamp)
  /// With the zone that was typed, if one was.
  case day(CalendarDay, in: TimeZone?)
  /// `yesterday` is -1.
  case daysFromToday(Int)
  case now

  /// The moment itself, or the first one of the day.
  func start(in zone: TimeZone, now: Timestamp) -> Timestamp { moment(in: zone, now) { $0.start(in: $1) } }

  /// The moment itself, or the last one of the day.
  func end(in zone: TimeZone, now: Timestamp) -> Timestamp { moment(in: zone, now) { $0.end(in: $1) } }

  private func moment(
    in zone: TimeZone, _ now: Timestamp, _ edge: (CalendarDay, TimeZone) -> Timestamp
  ) -> Timestamp {
    switch self {
    case .moment(let moment): moment
    case .day(let day, let own): edge(day, own ?? zone)
    case .daysFromToday(let days): edge(CalendarDay(of: now, in: zone).adding(days: days), zone)
    case .now: now
    }
  }

  /// Whether it is the same in each time zone.
  var needsNoZone: Bool {
    switch self {
    case .moment, .now: true
    case .day(_, let own): own != nil
    case .daysFromToday: false
    }
  }
}

/// Two dates of an option pair, each of which may be left out. The second is included, to the end of its day.
struct DateRange: Sendable {
  var first: DateArgument?
  var last: DateArgument?

  /// - Throws: a usage error where the first comes after the last, in any time zone.
  func check(_ firstOption: String, _ lastOption: String) throws {
    let now = Timestamp(Date())
    guard let start = first?.start(in: .gmt, now: now), let end = last?.end(in: .gmt, now: now), start > end else {
      return
    }
    // A day and a moment may be in order in one zone, and not in another.
    if let first, let last, first.needsNoZone != last.needsNoZone, start.seconds(since: end) < 2 * 86_400 { return }
    throw ValidationError("\(firstOption) \(start.iso8601) comes after \(lastOption) \(end.iso8601); swap them")
  }

  func moments(of dagID: String, in workspace: Workspace) async -> (first: Timestamp?, last: Timestamp?) {
    let zone = await workspace.timeZone(of: dagID, for: [first, last])
    let now = Timestamp(Date())
    return (first?.start(in: zone, now: now), last?.end(in: zone, now: now))
  }
}

extension Workspace {
  /// The zone by whose clock days begin for a DAG: that of its schedule, and UTC where it has none.
  ///
  /// - Parameter dates: where none of them depends on it, nothing is read.
  func timeZone(of dagID: String, for dates: [DateArgument?]) async -> TimeZone {
    guard dates.contains(where: { $0?.needsNoZone == false }) else { return .gmt }
    if let dag = try? await dagFiles().dag(dagID) { return dag.timeZone }
    // A DAG whose file is gone or broken has its runs still.
    guard let reader = try? reader(), let version = try? reader.dag(dagID)?.version,
      let plan = try? reader.plan(dagID: dagID, version: version)
    else { return .gmt }
    return plan.description.timeZone
  }

  /// The logical date that a command means by the date of a run: of a whole day, that of the newest run in it, and the
  /// day's beginning where there is none.
  func logicalDate(_ date: DateArgument, of dag: DAGDescription, now: Timestamp) throws -> Timestamp {
    let (first, last) = (date.start(in: dag.timeZone, now: now), date.end(in: dag.timeZone, now: now))
    let run = try reader()?.listRuns(RunFilter(dagID: dag.id, fromDate: first, toDate: last, limit: 1)).first
    return run?.logicalDate ?? first
  }

  /// The runs on both sides of dates that have none, in words that follow others. Empty without dates or runs.
  func nearestRuns(of dagID: String, first: Timestamp?, last: Timestamp?) throws -> String {
    guard first != nil || last != nil, let reader = try reader() else { return "" }
    let earlier = try first.map { try reader.listRuns(RunFilter(dagID: dagID, toDate: $0)) } ?? []
    let later = try last.map { try reader.listRuns(RunFilter(dagID: dagID, fromDate: $0)) } ?? []
    let dates = [earlier.compactMap(\.logicalDate).max(), later.compactMap(\.logicalDate).min()].compactMap(\.self)
    guard !dates.isEmpty else { return "" }
    return "; the nearest \(dates.count == 1 ? "is" : "are") of \(dates.map(\.iso8601).joined(separator: " and of "))"
  }

  /// The moment that a date means for a DAG: the beginning of a day.
  func moment(_ date: DateArgument, of dagID: String) async -> Timestamp {
    date.start(in: await timeZone(of: dagID, for: [date]), now: Timestamp(Date()))
  }
}

extension DAGDescription {
  var timeZone: TimeZone { schedule.timeZone.flatMap(TimeZone.init(identifier:)) ?? .gmt }
}
