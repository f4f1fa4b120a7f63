// expect: compiler 5 "cannot convert value of type 'String' to expected argument type 'Duration"
import Dagrun

DAG("text_for_a_duration") {
  BashOperator("extract", "true", retryDelay: "5m")
}
