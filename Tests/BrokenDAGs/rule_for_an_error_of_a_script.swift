// expect: description 7 "a rule for an error is for tasks that run a Swift closure; for scripts and jobs there are .exitCode and .signal"
import Dagrun

struct NetworkDown: Error {}

DAG("rule_for_an_error_of_a_script") {
  BashOperator("extract", "true", retries: 2).retry(on: .error(NetworkDown.self, then: .retryNow))
}
