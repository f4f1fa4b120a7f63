// expect: description 6 "there are two tasks \"rows\" in DAG \"group_without_prefix_repeats_an_id\"; the first is in line 5"
import Dagrun

DAG("group_without_prefix_repeats_an_id") {
  BashOperator("rows", "true")
  TaskGroup("checks", prefix: false) { BashOperator("rows", "true") }
}
