// expect: description 5 "executionTimeout is 0.0 s; it must be more than 0"
import Dagrun

DAG("no_time_to_run") {
  BashOperator("extract", "true", executionTimeout: .seconds(0))
}
