// expect: description 5 "Unexpectedly found nil"
import Dagrun

DAG("nil_while_describing") {
  let number = Int("many")!
  BashOperator("extract", "extract.sh \(number)")
}
