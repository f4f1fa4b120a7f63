// expect: description - "Error raised at top level"
import Dagrun
import Foundation

let regions = try String(contentsOfFile: "/nonexistent/regions.txt", encoding: .utf8)
DAG("error_while_describing") {
  BashOperator("extract", "extract.sh \(regions)")
}
