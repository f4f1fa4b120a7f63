// expect: description 5 "retries is 9223372036854775807; at most 1000000"
import Dagrun

DAG("retries") {
  BashOperator("a", "true", retries: .max)
}
