// expect: compiler 6 "cannot convert value of type 'Int' to closure result type 'Bool'"
import Dagrun

DAG("short_circuit_that_answers_a_number") {
  let count = SwiftOperator("count") { _ in 7 }
  ShortCircuitOperator("has_rows", count.output) { _, rows in rows }
}
