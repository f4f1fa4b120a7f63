import Dagrun
import Foundation
import Testing

private enum Load: String, CaseIterable { case full, delta }
private enum Day: String, CaseIterable { case weekday = "week-day", saturday, sunday }

extension DescribingTests {
  @Suite struct BranchTests {
    private func problems(_ file: FileDescription) -> [String] { file.problems.map(\.message) }

    @Test func `each case leads to its tasks`() {
      let file = describing {
        DAG("branch") {
          let count = SwiftOperator("count") { _ in 7 }
          let choose = BranchOperator("choose", count.output, to: Load.self) { _, rows in rows > 5 ? .full : .delta }
          let join = EmptyOperator("join", triggerRule: .noneFailedMinOneSuccess)
          choose.when(.full) --> [EmptyOperator("full"), EmptyOperator("audit")] --> join
          choose.when(.delta) --> join
        }
      }
      #expect(problems(file).isEmpty)
      let choose = file.dags[0].tasks[1]
      #expect(choose.decision == .branch(cases: ["full": ["full", "audit"], "delta": ["join"]]))
      #expect(file.dags[0].tasks[2].upstream == ["full", "audit", "choose"])
    }

    @Test func `several cases lead to one task, and a case to nothing that says so`() {
      let file = describing {
        DAG("days") {
          let day = BranchOperator("day", toAnyOf: Day.self) { _ in [.saturday, .sunday] }
          let rest = EmptyOperator("rest")
          day.when(.saturday) --> rest
          day.when(.sunday) --> rest
          day.when(.weekday) --> .nothing
        }
      }
      #expect(problems(file).isEmpty)
      #expect(
        file.dags[0].tasks[0].decision
          == .branch(cases: ["week-day": [], "saturday": ["rest"], "sunday": ["rest"]]))
      #expect(file.dags[0].tasks[1].upstream == ["day"])
    }

    @Test func `a case is named as the file writes it`() {
      let file = describing {
        DAG("days") {
          let day = BranchOperator("day", to: Day.self) { _ in .saturday }
          [day.when(.saturday), day.when(.sunday)] --> .nothing
        }
      }
      #expect(problems(file).count == 1 && problems(file)[0].contains("its case .weekday leads nowhere"))
    }

    @Test func `a case leads to a group's setup, so that nothing is made for a group that is skipped`() {
      let file = describing {
        DAG("group") {
          let choose = BranchOperator("choose", to: Load.self) { _ in .full }
          let (create, drop) = (EmptyOperator("create"), EmptyOperator("drop"))
          choose.when(.full) --> TaskGroup("all", setup: create, teardown: drop) { EmptyOperator("a") }
          choose.when(.delta) --> .nothing
        }
      }
      #expect(problems(file).isEmpty)
      #expect(file.dags[0].tasks[0].decision == .branch(cases: ["full": ["create"], "delta": []]))
      #expect(file.dags[0].tasks.map(\.upstream) == [[], ["choose"], ["all.a", "create"], ["create"]])
    }

    @Test func `a case leads to a group as a whole`() {
      let file = describing {
        DAG("group") {
          let choose = BranchOperator("choose", to: Load.self) { _ in .full }
          choose.when(.full)
            --> TaskGroup("all") {
              EmptyOperator("a") --> EmptyOperator("b")
              EmptyOperator("c")
            }
          choose.when(.delta) --> .nothing
        }
      }
      #expect(problems(file).isEmpty)
      #expect(file.dags[0].tasks[0].decision == .branch(cases: ["full": ["all.a", "all.c"], "delta": []]))
    }

    @Test func `a teardown may come right after a branch, whose cases lead out of the group`() {
      let file = describing {
        DAG("group") {
          var choose: BranchOperator<Load>?
          let group = TaskGroup("work", setup: EmptyOperator("create"), teardown: EmptyOperator("drop")) {
            choose = BranchOperator("choose", to: Load.self) { _ in .full }
          }
          group --> EmptyOperator("other", triggerRule: .always)
          choose!.when(.full) --> EmptyOperator("full")
          choose!.when(.delta) --> .nothing
        }
      }
      #expect(
        problems(file) == [
          "task \"other\" comes right after branch \"work.choose\", and no case leads to it, so it would always be skipped; "
            + "draw the arrow from a case: when(…) --> …"
        ])
    }

    @Test func `a case may lead to very many tasks`() {
      let file = describing {
        DAG("many") {
          let choose = BranchOperator("choose", to: Load.self) { _ in .full }
          choose.when(.full) --> (0..<20_000).map { EmptyOperator("t\($0)") }
          choose.when(.delta) --> .nothing
        }
      }
      #expect(problems(file).isEmpty)
      guard case .branch(let cases) = file.dags[0].tasks[0].decision else {
        Issue.record("\(file.dags[0].tasks[0].operatorName)")
        return
      }
      #expect(cases["full"]?.count == 20_000 && cases["full"]?.last == "t19999")
    }

    @Test func `what is not drawn is an import error`() {
      let file = describing {
        DAG("wrong") {
          let choose = BranchOperator("choose", to: Load.self) { _ in .full }
          choose --> EmptyOperator("after")
          choose.when(.delta) --> EmptyOperator("delta")
          choose.when(.delta) --> .nothing
        }
      }
      #expect(
        problems(file) == [
          "branch \"choose\": its case .delta leads to delta, and to .nothing; leave one of them out",
          "branch \"choose\": its case .full leads nowhere; write when(.full) --> and the task, or when(.full) --> .nothing",
          "task \"after\" comes right after branch \"choose\", and no case leads to it, so it would always be skipped; "
            + "draw the arrow from a case: when(…) --> …",
        ])
    }

    @Test func `short circuits and latest-only decide too`() {
      let file = describing {
        DAG("others") {
          ShortCircuitOperator("strict") { _ in true }
          ShortCircuitOperator("mild", ignoringDownstreamTriggerRules: false) { _ in true }
          LatestOnlyOperator("latest")
        }
      }
      #expect(problems(file).isEmpty)
      #expect(
        file.dags[0].tasks.map(\.decision) == [
          .shortCircuit(ignoresTriggerRules: true), .shortCircuit(ignoresTriggerRules: false), .latestOnly,
        ])
      #expect(
        file.dags[0].tasks.map(\.operatorName) == [
          "ShortCircuitOperator", "ShortCircuitOperator", "LatestOnlyOperator",
        ])
    }
  }
}

@Suite("What an output decides") struct TaskDecisionTests {
  private let branch = TaskDecision.branch(cases: ["full": ["a", "b"], "delta": ["b", "c"], "none": []])

  @Test(
    "the chosen cases, each once",
    arguments: [
      (#"["full"]"#, ["full"]), (#"["delta","full","delta"]"#, ["delta", "full"]), (#"["none"]"#, ["none"]), ("[]", []),
    ])
  func chosen(output: String, names: [String]) throws {
    #expect(try branch.choice(of: output) == .cases(names))
  }

  @Test("false ends a run below, true does not")
  func shortCircuit() throws {
    #expect(try TaskDecision.shortCircuit(ignoresTriggerRules: true).choice(of: "false") == .nothingBelow)
    #expect(try TaskDecision.shortCircuit(ignoresTriggerRules: false).choice(of: "false") == .cases([]))
    #expect(try TaskDecision.shortCircuit(ignoresTriggerRules: true).choice(of: "true") == nil)
  }

  @Test("what is not an answer is refused", arguments: [nil, "", "full", "\"full\"", "[1]", "[\"ful\"]", "{}", "null"])
  func refused(output: String?) {
    #expect(throws: ChoiceError.self) { try branch.choice(of: output) }
    #expect(throws: ChoiceError.self) { try TaskDecision.shortCircuit(ignoresTriggerRules: true).choice(of: output) }
  }

  @Test("the reason quotes the beginning of a long output")
  func longOutput() {
    let output = "[" + String(repeating: "1,", count: 1_000_000) + "1]"
    for decision in [branch, .shortCircuit(ignoresTriggerRules: true)] {
      let error = #expect(throws: ChoiceError.self) { try decision.choice(of: output) }
      #expect((error?.description.count ?? 1000) < 300)
    }
  }

  @Test("survives being stored", arguments: [TaskDecision.latestOnly, .shortCircuit(ignoresTriggerRules: false)])
  func stored(decision: TaskDecision) throws {
    var task = TaskDescription(id: "a", work: .empty, location: SourceLocation(file: "f", line: 1))
    task.decision = decision
    task.groupID = "g"
    #expect(try JSONDecoder().decode(TaskDescription.self, from: JSONEncoder().encode(task)) == task)
  }
}
