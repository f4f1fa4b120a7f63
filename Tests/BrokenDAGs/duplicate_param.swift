// expect: description 4 "there are two parameters \"region\""
import Dagrun

DAG("duplicate_param", params: [.string("region", default: "eu"), .int("region", default: 1)]) {
  BashOperator("extract", "true")
}
