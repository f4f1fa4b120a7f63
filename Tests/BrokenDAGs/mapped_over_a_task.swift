// expect: compiler 6 "requires that 'SwiftOperator<[String]>' conform to 'MappableList'"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  SwiftOperator("rows", each: list) { _, row in row }
}
