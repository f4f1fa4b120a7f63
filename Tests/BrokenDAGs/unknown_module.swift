// expect: compiler 3 "no such module 'Pandas'"
import Dagrun
import Pandas

DAG("unknown_module") {
  BashOperator("extract", "true")
}
