// expect: description 5 "retryBackoff is inf; at most 1000000"
import Dagrun

DAG("infinite", defaults: .init(retries: 3, retryBackoff: .infinity)) {
  BashOperator("a", "true")
}
