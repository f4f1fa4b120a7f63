// expect: description 4 "is never due"
import Dagrun

DAG("cron_that_never_comes", schedule: .cron("0 0 31 2 *")) {
  BashOperator("extract", "true")
}
