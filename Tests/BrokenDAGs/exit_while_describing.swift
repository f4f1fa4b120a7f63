// expect: description - "ended the process with exit(3)"
import Dagrun
import Foundation

DAG("exit_while_describing") {
  BashOperator("extract", "true")
}
exit(3)
