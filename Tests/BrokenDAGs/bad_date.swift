// expect: description 4 "the startDate \"2026-02-30\" of DAG \"bad_date\" is not a date; 2026-02 has 28 days"
import Dagrun

DAG("bad_date", startDate: "2026-02-30") {
  BashOperator("extract", "true")
}
