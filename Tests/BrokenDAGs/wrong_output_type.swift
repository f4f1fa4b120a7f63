// expect: compiler 6 "cannot convert value of type '@Sendable (TaskContext, String) -> ()' to expected argument type '@Sendable (TaskContext, Int)"
import Dagrun

DAG("wrong_output_type") {
  let count = SwiftOperator("count") { _ in 42 }
  SwiftOperator("report", count.output) { (context, rows: String) in
    context.log.info(rows)
  }
}
