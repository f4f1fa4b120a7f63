import Dagrun

enum Answer: String, CaseIterable { case yes, no }

/// A branch below a branch. Where the outer one passes the inner one by, the inner one's join is skipped with it.
DAG(
  "example_nested_branch_dag", schedule: .daily, startDate: "2021-01-01",
  params: [.bool("first", default: true), .bool("second", default: true)], tags: ["example"]
) {
  let branch1 = BranchOperator("branch_1", to: Answer.self) { try $0.params.bool("first") ? .yes : .no }
  let branch2 = BranchOperator("branch_2", to: Answer.self) { try $0.params.bool("second") ? .yes : .no }
  let join1 = EmptyOperator("join_1", triggerRule: .noneFailedMinOneSuccess)
  let join2 = EmptyOperator("join_2", triggerRule: .noneFailedMinOneSuccess)

  branch1.when(.yes) --> EmptyOperator("true_1") --> join1
  branch1.when(.no) --> EmptyOperator("false_1") --> branch2
  branch2.when(.yes) --> EmptyOperator("true_2") --> join2
  branch2.when(.no) --> EmptyOperator("false_2") --> join2
  join2 --> EmptyOperator("false_3") --> join1
}
