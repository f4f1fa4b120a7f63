// expect: compiler 6 "missing argument for parameter 'script' in call"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  BashOperator("load", each: list.output)
}
