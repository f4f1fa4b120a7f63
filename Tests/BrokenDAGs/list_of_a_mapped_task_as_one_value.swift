// expect: compiler 7 "binary operator '+' cannot be applied to operands of type '[Int]' and 'Int'"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  let rows = SwiftOperator("rows", each: list.output) { _, row in row.count }
  SwiftOperator("next", rows.output) { _, row in row + 1 }
}
