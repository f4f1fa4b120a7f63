// expect: compiler 4 "cannot find 'DAG' in scope"
import Foundation

DAG("missing_import") {
  BashOperator("extract", "true")
}
