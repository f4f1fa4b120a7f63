package import Dagrun
package import Model

/// What a backfill will do, readable before it is done.
package struct BackfillPlan: Hashable, Sendable {
  /// In the order in which the runs start.
  package var rows: [Row]

  package struct Row: Hashable, Sendable {
    package var logicalDate: Timestamp
    package var runID: String
    package var verdict: Verdict

    package init(logicalDate: Timestamp, runID: String, verdict: Verdict) {
      self.logicalDate = logicalDate
      self.runID = runID
      self.verdict = verdict
    }
  }

  package enum Verdict: String, Hashable, Sendable {
    case create
    case clear
    /// Airflow's words for why a run is left alone.
    case inFlight = "in flight"
    case alreadyExists = "already exists"
  }

  package init(rows: [Row]) { self.rows = rows }

  /// Whether anything would be done.
  package var isEmpty: Bool { !rows.contains { $0.verdict == .create || $0.verdict == .clear } }
}

extension BackfillPlan {
  /// More than anybody means: a year that was mistyped asks for hundreds of thousands.
  package static let maximumRuns = 100_000

  /// The plan for a request, or why there is none. Both dates are included; only intervals that have ended count.
  ///
  /// With `taskRegex` the runs have only the tasks whose whole id matches, as though the DAG had no others: nothing
  /// waits for a task that is not part of the backfill. Of a run that exists already, the other tasks stay as they are.
  ///
  /// - Parameter existing: every run of the DAG with a logical date in the range.
  package static func make(
    _ request: BackfillRequest, plan: DAGPlan, existing: [DAGRun], at now: Timestamp
  ) -> Result<BackfillPlan, Refusal> {
    dates(of: request, plan: plan, at: now).map { dates in
      var runs: [Timestamp: DAGRun] = [:]
      for run in existing { if let date = run.logicalDate { runs[date] = run } }
      let reprocess = request.reprocess ?? defaultReprocessing(of: (try? tasks(of: request, plan).get()) ?? plan)
      let rows = dates.map { row(for: $0, runs[$0], reprocess) }
      return BackfillPlan(rows: request.runsBackwards ? rows.reversed() : rows)
    }
  }

  /// The logical dates that a request asks for, or why it cannot be done: all that can be said before the runs that
  /// exist are looked at.
  package static func dates(
    of request: BackfillRequest, plan: DAGPlan, at now: Timestamp
  ) -> Result<[Timestamp], Refusal> {
    guard let timetable = Timetable(plan.description.schedule), timetable.hasTicks else {
      return .failure(
        .invalid(
          "\(plan.dagID) has no schedule with dates that could be filled in\n"
            + "give it one, or run single dates: dagrun trigger \(plan.dagID) -l DATE"))
    }
    guard request.fromDate <= request.toDate else {
      return .failure(
        .invalid("the first date, \(request.fromDate.iso8601), is after the last, \(request.toDate.iso8601)"))
    }
    guard request.fromDate <= now else {
      return .failure(.invalid("the dates lie in the future: \(request.fromDate.iso8601) has not come yet"))
    }
    guard request.maxActiveRuns >= 1 else {
      return .failure(.invalid("a backfill needs at least one active run, not \(request.maxActiveRuns)"))
    }
    let tasks: DAGPlan
    switch Self.tasks(of: request, plan) {
    case .failure(let refusal): return .failure(refusal)
    case .success(let selected): tasks = selected
    }
    if request.runsBackwards, let task = tasks.pastTaskIDs.first {
      return .failure(.invalid("cannot run backwards: \(task) depends on its past"))
    }
    if (request.reprocess ?? defaultReprocessing(of: tasks)) == .none, let task = tasks.pastTaskIDs.first {
      return .failure(
        .invalid(
          "\(task) depends on its past, and runs that exist would not run again\n"
            + "give --reprocess-behavior failed or completed"))
    }
    guard let dates = dates(of: timetable, in: request.fromDate...min(request.toDate, now), dueBy: now) else {
      return .failure(
        .invalid(
          "there are more than \(maximumRuns) runs of \(plan.dagID) from \(request.fromDate.iso8601) to "
            + "\(request.toDate.iso8601)\nname a shorter range"))
    }
    guard !dates.isEmpty else {
      return .failure(
        .nothingToDo(
          "\(plan.dagID) has no interval between those dates that has ended"
            + nearest(to: request.fromDate, timetable, now: now)))
    }
    return .success(dates)
  }

  /// The tasks that a request is about, as though the DAG had no others.
  private static func tasks(of request: BackfillRequest, _ plan: DAGPlan) -> Result<DAGPlan, Refusal> {
    guard let regex = request.taskRegex else { return .success(plan) }
    do {
      guard let selected = try plan.selecting(regex) else {
        return .failure(.invalid("\"\(regex)\" is not a regular expression"))
      }
      guard selected.count > 0 else { return .failure(.invalid("no task of \(plan.dagID) matches \"\(regex)\"")) }
      return .success(selected)
    } catch {
      return .failure(.invalid("\(error)"))
    }
  }

  /// The dates on both sides of one that has none.
  private static func nearest(to date: Timestamp, _ timetable: Timetable, now: Timestamp) -> String {
    let dates = [timetable.last(before: date), timetable.first(notBefore: date)].compactMap(\.self).map { run in
      run.runAfter <= now
        ? run.logicalDate.iso8601 : "\(run.logicalDate.iso8601) (which has not ended before \(run.runAfter.iso8601))"
    }
    return dates.isEmpty
      ? "" : "\nthe nearest \(dates.count == 1 ? "is" : "are") of \(dates.joined(separator: " and of "))"
  }

  /// Where a task depends on its past, a run that failed would hold back all that come after it.
  static func defaultReprocessing(of plan: DAGPlan) -> Backfill.ReprocessBehavior {
    plan.pastTaskIDs.isEmpty ? .none : .failed
  }

  /// The logical dates in the range whose runs are due, ascending. nil: they are more than `maximumRuns`.
  static func dates(of timetable: Timetable, in range: ClosedRange<Timestamp>, dueBy now: Timestamp) -> [Timestamp]? {
    let dues = timetable.ticks(in: range, limit: maximumRuns + 1)
    guard dues.count <= maximumRuns else { return nil }
    return dues.filter { $0.runAfter <= now }.map(\.logicalDate)
  }

  package static func row(
    for date: Timestamp, _ existing: DAGRun?, _ reprocess: Backfill.ReprocessBehavior
  ) -> Row {
    guard let existing else { return Row(logicalDate: date, runID: RunIDs.backfill(date), verdict: .create) }
    let verdict: Verdict =
      switch (existing.state, reprocess) {
      case (.queued, _), (.running, _): .inFlight
      case (.success, .completed), (.failed, .completed), (.failed, .failed): .clear
      case (.success, .failed), (.success, .none), (.failed, .none): .alreadyExists
      }
    return Row(logicalDate: date, runID: existing.runID, verdict: verdict)
  }
}

extension Refusal: Error {}
