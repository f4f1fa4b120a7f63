// expect: compiler 8 "Output<Int>"
import Dagrun

DAG("captured_output") {
  let count = SwiftOperator("count") { _ in 42 }
  let output = count.output
  SwiftOperator("report") { context in
    context.log.info("\(output)")
  }
}
