// expect: description 5 "\"MY-VAR\" cannot be the name of an environment variable"
import Dagrun

DAG("bad_environment_name") {
  BashOperator("extract", "true", environment: ["MY-VAR": "1"])
}
