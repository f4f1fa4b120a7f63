// expect: compiler 5 "cannot find 'BashOperater' in scope"
import Dagrun

DAG("misspelt_operator") {
  BashOperater("extract", "true")
}
