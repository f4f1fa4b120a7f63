// expect: description 5 "maxActive(perRun:)"
import Dagrun

DAG("mapped") {
  SwiftOperator("rows", each: [1, 2], limit: 0) { _, row in row }
}
