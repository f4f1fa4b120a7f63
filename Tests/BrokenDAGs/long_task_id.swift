// expect: description 5 "is longer than 250 characters"
import Dagrun

DAG("long_task_id") {
  BashOperator(String(repeating: "a", count: 251), "true")
}
