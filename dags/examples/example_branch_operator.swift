import Dagrun

enum Option: String, CaseIterable { case a, b, c, d }

/// A branch chooses one of four ways, at random or as it is told, and all meet again.
///
///     dagrun trigger example_branch_operator -c '{"option": "b"}'
DAG(
  "example_branch_operator", schedule: .daily, startDate: "2021-01-01",
  params: [.oneOf("option", ["random"] + Option.allCases.map(\.rawValue), default: "random")],
  tags: ["example", "example2"]
) {
  let runThisFirst = EmptyOperator("run_this_first")
  let branching = BranchOperator("branching", to: Option.self) { context in
    Option(rawValue: try context.params.string("option")) ?? Option.allCases.randomElement()!
  }
  let join = EmptyOperator("join", triggerRule: .noneFailedMinOneSuccess)

  runThisFirst --> branching
  for option in Option.allCases {
    let branch = SwiftOperator("branch_\(option)") { _ in print("Hello World") }
    branching.when(option) --> branch --> EmptyOperator("follow_\(option)") --> join
  }
}
