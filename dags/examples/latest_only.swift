import Dagrun

/// Work that only the newest of the dates that are due needs, such as a dashboard's.
///
///     dagrun backfill latest_only --from-date 2026-01-01 --to-date 2026-01-02
DAG("latest_only", schedule: .cron("0 */4 * * *"), startDate: "2021-01-01", tags: ["example", "example2", "example3"]) {
  LatestOnlyOperator("latest_only") --> EmptyOperator("task1")
}
