// expect: compiler 6 "cannot convert value of type '@Sendable (Int) -> Template'"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  BashOperator("load", each: list.output) { (row: Int) in "echo \(row)" }
}
