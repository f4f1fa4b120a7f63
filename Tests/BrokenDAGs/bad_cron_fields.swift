// expect: description 4 "\"0 3 * *\" has 4"
import Dagrun

DAG("bad_cron_fields", schedule: .cron("0 3 * *")) {
  BashOperator("extract", "true")
}
