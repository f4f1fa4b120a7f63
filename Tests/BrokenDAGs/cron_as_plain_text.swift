// expect: compiler 4 "cannot convert value of type 'String' to expected argument type 'Schedule'"
import Dagrun

DAG("cron_as_plain_text", schedule: "0 3 * * *") {
  BashOperator("extract", "true")
}
