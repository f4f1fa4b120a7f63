// expect: compiler 5 "reference to member 'dss' cannot be resolved without a contextual type; did you mean .ds?"
import Dagrun

DAG("misspelt_template_variable") {
  BashOperator("extract", "extract.sh --day \(.dss)")
}
