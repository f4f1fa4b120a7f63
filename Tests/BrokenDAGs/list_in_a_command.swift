// expect: compiler 7 "write a task for each element, or join them"
import Dagrun

let regions = ["eu", "us"]

DAG("list_in_a_command") {
  BashOperator("extract", "extract.sh \(regions)")
}
