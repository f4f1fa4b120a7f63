// expect: description 6 "over a list with a value that JSON cannot hold"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  SwiftOperator("rows", each: [1, Double.infinity]) { _, number in number }
}
