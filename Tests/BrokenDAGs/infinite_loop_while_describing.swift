// expect: description - "the file's top-level code did not end within"
import Dagrun

var number = 1
while number > 0 { number = number % 7 + 1 }
DAG("infinite_loop_while_describing") {
  BashOperator("extract", "true")
}
