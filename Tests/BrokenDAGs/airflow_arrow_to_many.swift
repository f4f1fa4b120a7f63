// expect: compiler 8 "write a --> b, which also chains: a --> [b, c] --> d"
import Dagrun

DAG("airflow_arrow_to_many") {
  let extract = BashOperator("extract", "true")
  let load = BashOperator("load", "true")
  let count = BashOperator("count", "true")
  extract >> [load, count]
}
