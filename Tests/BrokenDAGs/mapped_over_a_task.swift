// expect: compiler 6 "a task is not a list; write each: list.output"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  SwiftOperator("rows", each: list) { _, row in row }
}
