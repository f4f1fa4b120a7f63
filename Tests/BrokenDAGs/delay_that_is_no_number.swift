// expect: description 5 "retryDelay is 9.223372036854776e+18 s; at most 10 years (315576000 s)"
import Dagrun

DAG("nan") {
  BashOperator("a", "true", retries: 1, retryDelay: .seconds(.nan))
}
