// expect: compiler 6 "reference to member 'dss' cannot be resolved without a contextual type; did you mean .ds?"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  BashOperator("load", each: list.output) { row in "echo \(row) \(.dss)" }
}
