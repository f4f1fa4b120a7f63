// expect: description 7 "exit code 3 has two rules; the first decides"
import Dagrun

DAG("two_rules_for_an_exit_code") {
  BashOperator("extract", "true", retries: 2).retry(
    on: .exitCode(3, then: .fail),
    .exitCode(1...9, then: .retryNow))
}
