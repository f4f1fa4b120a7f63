// expect: description 5 "the task id \"\" is empty"
import Dagrun

DAG("empty_task_id") {
  BashOperator("", "true")
}
