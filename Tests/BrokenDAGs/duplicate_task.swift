// expect: description 6 "there are two tasks \"extract\" in DAG \"duplicate_task\"; the first is in line"
import Dagrun

DAG("duplicate_task") {
  BashOperator("extract", "true")
  BashOperator("extract", "false")
}
