import Dagrun
import Foundation

enum Monday: String, CaseIterable { case monday, otherDay }
enum Week: String, CaseIterable { case weekend, midWeek }

/// Branches by the day of the week of the run's date (in UTC).
///
///     dagrun trigger example_weekday_branch_operator -l 2026-01-05
DAG("example_weekday_branch_operator", schedule: .daily, startDate: "2021-01-01", tags: ["example"]) {
  let choice = BranchOperator("make_choice", to: Monday.self) { weekday(of: $0) == 2 ? .monday : .otherDay }
  let weekendChoice = BranchOperator("make_weekend_choice", to: Week.self) { context in
    [1, 7].contains(weekday(of: context)) ? .weekend : .midWeek
  }

  choice.when(.monday) --> EmptyOperator("branch_true")
  choice.when(.otherDay) --> EmptyOperator("branch_false") --> weekendChoice
  weekendChoice.when(.weekend) --> EmptyOperator("branch_weekend")
  weekendChoice.when(.midWeek) --> EmptyOperator("branch_mid_week")
}

/// From 1, Sunday, to 7.
func weekday(of context: TaskContext) -> Int {
  var calendar = Calendar(identifier: .gregorian)
  calendar.timeZone = TimeZone(identifier: "UTC")!
  return calendar.component(.weekday, from: context.logicalDate)
}
