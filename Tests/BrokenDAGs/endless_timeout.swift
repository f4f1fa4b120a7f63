// expect: description 5 "executionTimeout is 9.223372036854776e+18 s; at most 10 years (315576000 s)"
import Dagrun

DAG("endless") {
  BashOperator("a", "true", executionTimeout: .hours(Int.max))
}
