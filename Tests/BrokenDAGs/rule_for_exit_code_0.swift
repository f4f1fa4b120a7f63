// expect: description 5 "a process that fails has an exit code from 1 to 255, not 0"
import Dagrun

DAG("rule_for_exit_code_0") {
  BashOperator("extract", "true", retries: 2).retry(on: .exitCode(0, then: .fail))
}
