// expect: description 5 "the task id \"-o\" begins with \"-\", so that commands would take it for an option"
import Dagrun

DAG("options") {
  BashOperator("-o", "true")
}
