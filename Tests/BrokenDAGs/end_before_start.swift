// expect: description 4 "lies before the startDate 2026-02-01"
import Dagrun

DAG("end_before_start", startDate: "2026-02-01", endDate: "2026-01-01") {
  BashOperator("extract", "true")
}
