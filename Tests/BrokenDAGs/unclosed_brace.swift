// expect: compiler 5 "expected '}'"
import Dagrun

DAG("unclosed_brace") {
  BashOperator("extract", "true")
