import Dagrun
import Foundation

enum Window: String, CaseIterable { case inRange, outside }

/// Branches by whether the run's date lies in an hour of October 2020.
DAG("example_branch_datetime_operator_3", schedule: .daily, startDate: "2021-01-01", tags: ["example"]) {
  let branch = BranchOperator("datetime_branch", to: Window.self) { context in
    let target = try Date("2020-10-10T14:00:00Z", strategy: .iso8601)...Date("2020-10-10T15:00:00Z", strategy: .iso8601)
    return target.contains(context.logicalDate) ? .inRange : .outside
  }
  branch.when(.inRange) --> EmptyOperator("date_in_range")
  branch.when(.outside) --> EmptyOperator("date_outside_range")
}
