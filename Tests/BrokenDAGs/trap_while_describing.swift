// expect: description 7 "crashed with"
import Dagrun

DAG("trap_while_describing") {
  let regions = ["eu", "us"]
  let number = regions.count
  BashOperator("extract", "extract.sh \(regions[number])")
}
