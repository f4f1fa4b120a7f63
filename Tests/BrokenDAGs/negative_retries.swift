// expect: description 5 "retries is -1; it cannot be negative"
import Dagrun

DAG("negative_retries") {
  BashOperator("extract", "true", retries: -1)
}
