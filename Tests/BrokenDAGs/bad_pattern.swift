// expect: description 4 "is not a regular expression"
import Dagrun

DAG("bad_pattern", params: [.string("region", default: "eu", matching: "[a-z")]) {
  BashOperator("extract", "true")
}
