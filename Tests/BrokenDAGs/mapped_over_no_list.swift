// expect: compiler 6 "requires that 'Int' conform to 'MappableList'"
import Dagrun

DAG("mapped") {
  let count = SwiftOperator("count") { _ in 3 }
  SwiftOperator("rows", each: count.output) { _, row in row }
}
