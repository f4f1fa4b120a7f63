// expect: description 6 "in a cycle: checks.rows --> checks.nulls --> publish --> checks.rows"
import Dagrun

DAG("cycle_through_a_group") {
  let checks = TaskGroup("checks") {
    BashOperator("rows", "true") --> BashOperator("nulls", "true")
  }
  checks --> BashOperator("publish", "true") --> checks
}
