// expect: description 6 "there are two groups \"checks\" in DAG \"duplicate_group\"; the first is in line 5"
import Dagrun

DAG("duplicate_group") {
  TaskGroup("checks") { BashOperator("rows", "true") }
  TaskGroup("checks") { BashOperator("nulls", "true") }
}
