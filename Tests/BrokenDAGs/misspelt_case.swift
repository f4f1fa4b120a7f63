// expect: compiler 8 "has no member 'ful'"
import Dagrun

enum Load: String, CaseIterable { case full, delta }

DAG("misspelt_case") {
  let choose = BranchOperator("choose", to: Load.self) { _ in .full }
  choose.when(.ful) --> BashOperator("full", "true")
  choose.when(.delta) --> BashOperator("delta", "true")
}
