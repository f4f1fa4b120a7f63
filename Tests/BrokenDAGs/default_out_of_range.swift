// expect: description 4 "parameter \"count\" cannot be 20: it must be a whole number from 1 to 10"
import Dagrun

DAG("default_out_of_range", params: [.int("count", default: 20, in: 1...10)]) {
  BashOperator("extract", "true")
}
