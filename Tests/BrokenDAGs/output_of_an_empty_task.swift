// expect: compiler 6 "has no member 'output'"
import Dagrun

DAG("output_of_an_empty_task") {
  let start = EmptyOperator("start")
  BashOperator("report", "report.sh \(start.output)")
}
