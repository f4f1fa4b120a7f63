// expect: description 5 "in a cycle: extract --> extract"
import Dagrun

DAG("self_loop") {
  let extract = BashOperator("extract", "true")
  extract --> extract
}
