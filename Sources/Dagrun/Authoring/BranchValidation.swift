/// Whether each case of a branch leads somewhere, and whether a case leads to each task right below it.
struct BranchValidation {
  private let builder: DAGBuilder

  init(_ builder: DAGBuilder) { self.builder = builder }

  func run() {
    let tasks = builder.description.tasks
    var reached: [Int: Set<String>] = [:]
    for (index, task) in tasks.enumerated() {
      guard case .branch(let cases) = task.decision, let said = builder.branches[index] else { continue }
      check(cases, said, of: task)
      reached[index] = Set(cases.values.joined())
    }
    guard !reached.isEmpty else { return }
    for (index, task) in tasks.enumerated() {
      // A teardown follows its own rule, whatever is chosen.
      if case .teardown = task.role { continue }
      for above in builder.upstream[index].map(Int.init) where reached[above]?.contains(task.id) == false {
        builder.problem(
          "task \"\(task.id)\" comes right after branch \"\(tasks[above].id)\", and no case leads to it, so it would always "
            + "be skipped; draw the arrow from a case: when(…) --> …", at: task.location)
      }
    }
  }

  private func check(_ cases: [String: [String]], _ said: BranchCases, of branch: TaskDescription) {
    func problem(_ message: String) { builder.problem("branch \"\(branch.id)\": \(message)", at: branch.location) }
    if cases.isEmpty { problem("its type has no cases, so there is nothing to choose") }
    for (way, targets) in cases.sorted(by: { $0.key < $1.key }) {
      let name = said.names[way] ?? way
      switch (targets.first, said.deadEnds.contains(way)) {
      case (nil, false):
        problem("its case \(name) leads nowhere; write when(\(name)) --> and the task, or when(\(name)) --> .nothing")
      case (let target?, true): problem("its case \(name) leads to \(target), and to .nothing; leave one of them out")
      case (nil, true), (_?, false): break
      }
    }
  }
}
