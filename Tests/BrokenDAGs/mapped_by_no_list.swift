// expect: compiler 6 "requires that 'Int' conform to 'MappableList'"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  SwiftOperator("rows", each: list.output, by: 3) { _, row, number in row }
}
