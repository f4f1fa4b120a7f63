// expect: compiler 5 "retrys"
import Dagrun

DAG("misspelt_argument") {
  BashOperator("extract", "true", retrys: 2)
}
