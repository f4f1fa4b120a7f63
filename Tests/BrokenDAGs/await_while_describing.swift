// expect: description - "or with an await at the top level"
import Dagrun

func regions() async -> [String] { ["eu"] }
let all = await regions()
DAG("await_while_describing") {
  for region in all { BashOperator("extract_\(region)", "true") }
}
