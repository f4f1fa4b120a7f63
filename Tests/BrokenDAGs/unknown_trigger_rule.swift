// expect: compiler 5 "has no member 'allSucess'"
import Dagrun

DAG("unknown_trigger_rule") {
  BashOperator("extract", "true", triggerRule: .allSucess)
}
