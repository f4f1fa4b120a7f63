// expect: description 5 "the task id \"a/b\" may have letters"
import Dagrun

DAG("bad_task_id") {
  BashOperator("a/b", "true")
}
