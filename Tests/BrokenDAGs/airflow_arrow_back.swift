// expect: compiler 7 "write b --> a, which also chains: a --> [b, c] --> d"
import Dagrun

DAG("airflow_arrow_back") {
  let extract = BashOperator("extract", "true")
  let load = BashOperator("load", "true")
  load << extract
}
