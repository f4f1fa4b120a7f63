// expect: compiler 10 "has no member 'output'"
import Dagrun

enum Load: String, CaseIterable { case full, delta }

DAG("output_of_a_branch") {
  let choose = BranchOperator("choose", to: Load.self) { _ in .full }
  choose.when(.full) --> BashOperator("full", "true")
  choose.when(.delta) --> .nothing
  BashOperator("report", "echo \(choose.output)")
}
