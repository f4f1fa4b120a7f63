// expect: compiler 5 "cannot convert value of type 'Int' to expected argument type 'Duration"
import Dagrun

DAG("number_for_a_duration") {
  BashOperator("extract", "true", executionTimeout: 300)
}
