// expect: description 4 "the startDate \"2026-02-30\" of DAG \"bad_date\" is no date; write it as \"2026-01-31\""
import Dagrun

DAG("bad_date", startDate: "2026-02-30") {
  BashOperator("extract", "true")
}
