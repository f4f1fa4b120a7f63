// expect: compiler 6 "cannot convert value of type 'SwiftOperator<Int>'"
import Dagrun

DAG("task_instead_of_output") {
  let count = SwiftOperator("count") { _ in 42 }
  SwiftOperator("report", count) { context, rows in
    context.log.info("\(rows)")
  }
}
