import Dagrun

/// What two trigger rules make of one task that was skipped and one that was not.
DAG("example_skip_dag", schedule: .daily, startDate: "2021-01-01", tags: ["example"]) {
  for (number, rule) in [(1, TriggerRule.allSuccess), (2, .oneSuccess)] {
    let skip = SwiftOperator("skip_operator_\(number)") { _ in throw TaskSkip() }
    let join = EmptyOperator(rule.rawValue, triggerRule: rule)
    [skip, EmptyOperator("always_true_\(number)")] --> join --> EmptyOperator("final_\(number)")
  }
}
