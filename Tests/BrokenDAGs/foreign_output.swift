// expect: description 9 "the output of task \"one\" belongs to DAG \"foreign_output_one\""
import Dagrun

var other: BashOperator<String>?
DAG("foreign_output_one") { other = BashOperator("one", "echo 1") }
DAG("foreign_output_two") {
  BashOperator(
    "two",
    "echo \(other!.output)")
}
