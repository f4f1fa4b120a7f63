// expect: description 6 "wait for each other in a cycle: clean --> count --> report --> clean"
import Dagrun

DAG("cycle") {
  let extract = BashOperator("extract", "true")
  let clean = BashOperator("clean", "true")
  let count = BashOperator("count", "true")
  let report = BashOperator("report", "true")
  extract --> clean --> count --> report --> clean
}
