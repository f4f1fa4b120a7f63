// expect: description 4 "is no regular expression"
import Dagrun

DAG("bad_pattern", params: [.string("region", default: "eu", matching: "[a-z")]) {
  BashOperator("extract", "true")
}
