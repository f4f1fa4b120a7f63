// expect: compiler 6 "'String'"
import Dagrun

DAG("arrow_to_a_name") {
  let extract = BashOperator("extract", "true")
  extract --> "load"
}
