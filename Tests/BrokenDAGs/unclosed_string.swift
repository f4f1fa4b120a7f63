// expect: compiler 5 "unterminated string literal"
import Dagrun

DAG("unclosed_string") {
  BashOperator("extract", "true)
}
