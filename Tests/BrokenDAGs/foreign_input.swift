// expect: description 7 "an edge joins tasks of one DAG"
import Dagrun

var other: BashOperator<String>?
DAG("foreign_input_one") { other = BashOperator("one", "echo 1") }
DAG("foreign_input_two") {
  SwiftOperator("two", other!.output) { _, line in line }
}
