// expect: compiler 6 "type '()' cannot conform to"
import Dagrun

DAG("output_of_a_void_task") {
  let cleanup = SwiftOperator("cleanup") { context in context.log.info("gone") }
  BashOperator("report", "report.sh \(cleanup.output)")
}
