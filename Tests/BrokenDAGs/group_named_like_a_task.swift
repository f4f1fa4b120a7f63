// expect: description 6 "a task and a group are both called \"checks\" in DAG \"group_named_like_a_task\"; the task is in line 5"
import Dagrun

DAG("group_named_like_a_task") {
  BashOperator("checks", "true")
  TaskGroup("checks") { BashOperator("rows", "true") }
}
