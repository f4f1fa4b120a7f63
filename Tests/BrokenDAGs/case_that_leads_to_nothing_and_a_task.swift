// expect: description 7 "branch \"choose\": its case .delta leads to delta, and to .nothing; leave one of them out"
import Dagrun

enum Load: String, CaseIterable { case full, delta }

DAG("case_that_leads_to_nothing_and_a_task") {
  let choose = BranchOperator("choose", to: Load.self) { _ in .full }
  choose.when(.full) --> BashOperator("full", "true")
  choose.when(.delta) --> BashOperator("delta", "true")
  choose.when(.delta) --> .nothing
}
