// expect: compiler 9 "capture of 'count' with non-Sendable type"
import Dagrun

enum Load: String, CaseIterable { case full, delta }

DAG("task_captured_by_a_branch") {
  let count = SwiftOperator("count") { _ in 7 }
  let choose = BranchOperator("choose", to: Load.self) { _ in
    print(count)
    return .full
  }
  choose.when(.full) --> BashOperator("full", "true")
  choose.when(.delta) --> .nothing
}
