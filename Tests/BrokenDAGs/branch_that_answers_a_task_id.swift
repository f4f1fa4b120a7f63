// expect: compiler 7 "cannot convert value of type 'String' to closure result type 'Load'"
import Dagrun

enum Load: String, CaseIterable { case full, delta }

DAG("branch_that_answers_a_task_id") {
  let choose = BranchOperator("choose", to: Load.self) { _ in "full" }
  choose.when(.full) --> BashOperator("full", "true")
  choose.when(.delta) --> .nothing
}
