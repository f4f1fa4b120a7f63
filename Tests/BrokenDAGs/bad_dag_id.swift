// expect: description 4 "the DAG id \"bad dag id\" may have letters, digits, \"_\", \".\" and \"-\" only"
import Dagrun

DAG("bad dag id") {
  BashOperator("extract", "true")
}
