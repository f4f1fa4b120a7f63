// expect: compiler 8 "has no member 'rows'"
import Dagrun

DAG("task_in_a_group_by_name") {
  let checks = TaskGroup("checks") {
    BashOperator("rows", "true")
  }
  checks.rows --> BashOperator("publish", "true")
}
