// expect: description 4 "the minute field of the cron expression \"61 3 * * *\" is wrong: 61 is out of range, 0 to 59"
import Dagrun

DAG("bad_cron", schedule: .cron("61 3 * * *")) {
  BashOperator("extract", "true")
}
