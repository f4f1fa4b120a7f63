// expect: compiler 7 "requires that 'Load' conform to 'RawRepresentable'"
import Dagrun

enum Load: CaseIterable { case full, delta }

DAG("branch_by_cases_without_text") {
  let choose = BranchOperator("choose", to: Load.self) { _ in .full }
  choose.when(.full) --> BashOperator("full", "true")
  choose.when(.delta) --> .nothing
}
