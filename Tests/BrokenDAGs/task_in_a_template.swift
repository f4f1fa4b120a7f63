// expect: compiler 6 "a task is not a value; write \\(task.output)"
import Dagrun

DAG("task_in_a_template") {
  let count = SwiftOperator("count") { _ in 42 }
  BashOperator("report", "report.sh \(count)")
}
