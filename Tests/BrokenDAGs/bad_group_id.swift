// expect: description 5 "the group id \"two words\""
import Dagrun

DAG("bad_group_id") {
  TaskGroup("two words", prefix: false) { BashOperator("rows", "true") }
}
