import Dagrun

/// What a run of an older date skips, and what it runs all the same, by trigger rules.
DAG(
  "latest_only_with_trigger", schedule: .cron("0 */4 * * *"), startDate: "2021-01-01", tags: ["example", "example3"]
) {
  let task1 = EmptyOperator("task1")
  let task2 = EmptyOperator("task2")
  let task3 = EmptyOperator("task3")
  let task4 = EmptyOperator("task4", triggerRule: .allDone)

  LatestOnlyOperator("latest_only") --> task1 --> [task3, task4]
  task2 --> [task3, task4]
}
