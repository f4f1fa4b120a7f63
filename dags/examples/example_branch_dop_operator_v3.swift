import Dagrun
import Foundation

enum Minute: String, CaseIterable { case even, odd }

/// Every task depends on its past: one that was skipped in the last run may run in this one.
///
/// Airflow's runs each minute; this one runs when it is triggered: `-l 2026-01-01T00:01`, then `-l 2026-01-01T00:02`.
DAG(
  "example_branch_dop_operator_v3", startDate: "2021-01-01", tags: ["example"], defaults: .init(dependsOnPast: true)
) {
  let condition = BranchOperator("should_run", to: Minute.self) { context in
    let minute = Int(context.logicalDate.timeIntervalSince1970 / 60)
    print("------------- logical date = \(context.ts) and minute = \(minute % 60)")
    return minute.isMultiple(of: 2) ? .even : .odd
  }
  condition.when(.even) --> EmptyOperator("empty_task_1")
  condition.when(.odd) --> EmptyOperator("empty_task_2")
}
