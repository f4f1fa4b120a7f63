// expect: compiler 7 "cannot convert value of type 'Int' to expected argument type 'String'"
import Dagrun

DAG("wrong_use_of_output") {
  let count = SwiftOperator("count") { _ in 42 }
  SwiftOperator("report", count.output) { context, rows in
    context.log.info(rows)
  }
}
