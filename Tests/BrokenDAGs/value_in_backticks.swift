// expect: description 6 "a value stands in backticks, where it cannot be quoted safely; write $(…) instead"
import Dagrun

DAG("backticks") {
  let first = BashOperator("first", "echo 1")
  BashOperator("second", "echo `date -d \(first.output)`")
}
