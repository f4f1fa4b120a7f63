// expect: description 8 "is a Connection, which is not Codable"
import Dagrun

struct Connection: Sendable { var count: Int }

DAG("value_that_is_not_codable_from_inputs") {
  let count = SwiftOperator("count") { _ in 42 }
  SwiftOperator("connect", count.output) { _, count in Connection(count: count) }
}
