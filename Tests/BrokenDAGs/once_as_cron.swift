// expect: description 4 "write schedule: .once"
import Dagrun

DAG("once_as_cron", schedule: .cron("@once")) {
  BashOperator("extract", "true")
}
