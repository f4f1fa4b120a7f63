// expect: compiler 7 "write a --> b, which also chains: a --> [b, c] --> d"
import Dagrun

DAG("airflow_arrow") {
  let extract = BashOperator("extract", "true")
  let load = BashOperator("load", "true")
  extract >> load
}
