// expect: compiler 6 "capture of 'list' with non-Sendable type"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  SwiftOperator("rows", each: ["a"]) { _, row in "\(row) \(list.task)" }
}
