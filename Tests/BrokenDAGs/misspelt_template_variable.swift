// expect: compiler 5 "has no member 'dss'"
import Dagrun

DAG("misspelt_template_variable") {
  BashOperator("extract", "extract.sh --day \(.dss)")
}
