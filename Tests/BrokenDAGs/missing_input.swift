// expect: compiler 6 "expects 1 argument, but 2 were used in closure body"
import Dagrun

DAG("missing_input") {
  let count = SwiftOperator("count") { _ in 42 }
  SwiftOperator("report") { context, rows in
    context.log.info("\(rows)")
  }
  _ = count
}
