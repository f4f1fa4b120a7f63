// expect: compiler 8 "cannot convert value of type 'String' to expected argument type 'Load'"
import Dagrun

enum Load: String, CaseIterable { case full, delta }

DAG("case_as_text") {
  let choose = BranchOperator("choose", to: Load.self) { _ in .full }
  choose.when("full") --> BashOperator("full", "true")
  choose.when(.delta) --> .nothing
}
