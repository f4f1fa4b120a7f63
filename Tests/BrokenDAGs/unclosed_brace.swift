// expect: compiler 6 "expected '}'"
import Dagrun

DAG("unclosed_brace") {
  BashOperator("extract", "true")
