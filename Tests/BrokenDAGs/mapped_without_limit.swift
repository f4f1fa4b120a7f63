// expect: description 5 "limit: is 0; it must be 1 or more"
import Dagrun

DAG("mapped") {
  SwiftOperator("rows", each: [1, 2], limit: 0) { _, row in row }
}
