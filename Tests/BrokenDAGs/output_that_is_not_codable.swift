// expect: description 7 "is a Connection, which is not Codable"
import Dagrun

struct Connection: Sendable {}

DAG("output_that_is_not_codable") {
  SwiftOperator("connect") { _ in Connection() }
}
