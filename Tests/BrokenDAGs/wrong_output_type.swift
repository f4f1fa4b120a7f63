// expect: compiler 6 "String"
import Dagrun

DAG("wrong_output_type") {
  let count = SwiftOperator("count") { _ in 42 }
  SwiftOperator("report", count.output) { (context, rows: String) in
    context.log.info(rows)
  }
}
