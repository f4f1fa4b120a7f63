// expect: compiler 6 "cannot convert value of type 'Int' to closure result type 'Template'"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  BashOperator("load", each: list.output) { row in row.count }
}
