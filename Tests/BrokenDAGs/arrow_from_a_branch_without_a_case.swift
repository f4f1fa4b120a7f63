// expect: description 10 "task \"report\" comes right after branch \"choose\", and no case leads to it"
import Dagrun

enum Load: String, CaseIterable { case full, delta }

DAG("arrow_from_a_branch_without_a_case") {
  let choose = BranchOperator("choose", to: Load.self) { _ in .full }
  choose.when(.full) --> BashOperator("full", "true")
  choose.when(.delta) --> .nothing
  let report = BashOperator("report", "true")
  choose --> report
}
