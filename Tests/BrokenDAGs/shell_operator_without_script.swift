// expect: compiler 5 "missing argument for parameter #2"
import Dagrun

DAG("shell_operator_without_script") {
  BashOperator("extract")
}
