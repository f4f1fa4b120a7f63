// expect: compiler 8 "cannot find 'extrct' in scope"
import Dagrun

DAG("misspelt_task") {
  let extract = BashOperator("extract", "true")
  let load = BashOperator("load", "true")
  extract --> load
  extrct --> load
}
