// expect: compiler 6 "cannot convert value of type '@Sendable (TaskContext, Int) -> Int'"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  SwiftOperator("rows", each: list.output) { (_, row: Int) in row }
}
