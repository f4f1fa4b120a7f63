// expect: description 5 "in a cycle: count --> report --> count"
import Dagrun

DAG("cycle_by_output") {
  let count = SwiftOperator("count") { _ in 42 }
  let report = SwiftOperator("report", count.output) { _, rows in rows }
  report --> count
}
