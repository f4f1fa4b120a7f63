import Dagrun

// What branches and short circuits leave out, also in groups, and what trigger rules make of that.

enum Way: String, CaseIterable { case left, right, nowhere }

DAG("branches") {
  let one = BranchOperator("one", to: Way.self) { _ in .left }
  let join = EmptyOperator("join", triggerRule: .noneFailedMinOneSuccess)
  one.when(.left) --> BashOperator("left", "true") --> join
  one.when(.right) --> [BashOperator("right", "true") --> BashOperator("after_right", "true"), join]
  one.when(.nowhere) --> .nothing

  let none = BranchOperator("none", to: Way.self) { _ in .nowhere }
  none.when(.left) --> BashOperator("none_left", "true")
    --> BashOperator("none_all_done", "true", triggerRule: .allDone)
  none.when(.right) --> BashOperator("none_always", "true", triggerRule: .allDone)
  none.when(.nowhere) --> .nothing

  let several = BranchOperator("several", toAnyOf: Way.self) { _ in [.left, .right] }
  for way in Way.allCases { several.when(way) --> BashOperator("several_\(way)", "true") }

  let failing = BranchOperator("failing", to: Way.self) { _ in throw TaskFailure("no way") }
  failing.when(.left) --> BashOperator("failing_left", "true")
  [failing.when(.right), failing.when(.nowhere)] --> .nothing
  let skipping = BranchOperator("skipping", to: Way.self) { _ in throw TaskSkip() }
  skipping.when(.left) --> BashOperator("skipping_left", "true")
  [skipping.when(.right), skipping.when(.nowhere)] --> .nothing

  // What is below could not run, before it is not chosen either.
  let bad = BashOperator("bad", "exit 1")
  let slow = BranchOperator("slow", to: Way.self, triggerRule: .allDone) { _ in .right }
  bad --> BashOperator("after_bad", "true", triggerRule: .allDone) --> slow
  [slow.when(.left), bad] --> BashOperator("slow_left", "true")
  [slow.when(.right), slow.when(.nowhere)] --> .nothing
}

DAG("circuits") {
  ShortCircuitOperator("open") { _ in true } --> BashOperator("open_below", "true")
  ShortCircuitOperator("strict") { _ in false } --> BashOperator("strict_1", "true")
    --> BashOperator("strict_2", "true", triggerRule: .allDone)
  ShortCircuitOperator("mild", ignoringDownstreamTriggerRules: false) { _ in false } --> BashOperator("mild_1", "true")
    --> BashOperator("mild_2", "true", triggerRule: .allDone)

  let create = BashOperator("create", "true")
  create --> ShortCircuitOperator("inside") { _ in false } --> BashOperator("work", "true")
    --> BashOperator("drop", "true").asTeardown(of: create)
}

DAG("groups") {
  let start = BashOperator("start", "true")
  let outer = TaskGroup("outer") {
    let choose = BranchOperator("choose", to: Way.self) { _ in .right }
    let inner = TaskGroup("inner", prefix: false) {
      BashOperator("a", "true") --> BashOperator("b", "true")
      BashOperator("c", "true")
    }
    choose.when(.left) --> inner
    choose.when(.right)
      --> TaskGroup("kept", setup: BashOperator("up", "true"), teardown: BashOperator("down", "true")) {
        BashOperator("work", "true")
      }
    choose.when(.nowhere) --> .nothing
  }
  start --> outer --> BashOperator("end", "true", triggerRule: .noneFailedMinOneSuccess)
  LatestOnlyOperator("latest") --> BashOperator("newest", "true")
}
