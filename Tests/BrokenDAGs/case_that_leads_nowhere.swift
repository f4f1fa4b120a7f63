// expect: description 7 "branch \"choose\": its case .delta leads nowhere; write when(.delta) --> and the task, or when(.delta) --> .nothing"
import Dagrun

enum Load: String, CaseIterable { case full, delta }

DAG("case_that_leads_nowhere") {
  let choose = BranchOperator("choose", to: Load.self) { _ in .full }
  choose.when(.full) --> BashOperator("full", "true")
}
