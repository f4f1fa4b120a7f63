// expect: compiler 6 "expects 1 argument, but 2 were used in closure body"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  BashOperator("load", each: list.output) { context, row in "echo \(row)" }
}
