import Dagrun
import Model
import Testing

@testable import Scheduling

/// Branches, short circuits and latest-only: what a task chooses of the tasks below it.
@Suite struct ChoiceTests {
  /// choose leads to a and b; join comes after both.
  private static let branch = dag("choose", "a < choose", "b < choose", "join < a b") {
    $0.task("choose") { $0.decision = .branch(cases: ["a": ["a"], "b": ["b"]]) }
    $0.task("join") { $0.triggerRule = .noneFailedMinOneSuccess }
  }

  /// Of tasks whose run has ended: those that the last step gave them.
  private func states(_ bed: TestBed, _ ids: String...) -> [TaskState?] {
    ids.map { bed.state($0) ?? bed.lastMove(of: $0)?.to.state }
  }

  @Test func `what is not chosen is skipped at once, and the rest runs`() {
    var bed = TestBed(Self.branch)
    bed.trigger()
    bed.finish("choose", choosing: .cases(["a"]))
    #expect(states(bed, "a", "b", "join") == [.running, .skipped, TaskState.none])
    #expect(bed.storedReason("b") == "choose chose a")
    #expect(bed.transcript.contains("choose chooses [\"a\"]"))
    bed.finish("a")
    #expect(bed.state("join") == .running)
  }

  @Test func `nothing chosen skips all tasks right below`() {
    var bed = TestBed(Self.branch)
    bed.trigger()
    bed.finish("choose", choosing: .cases([]))
    #expect(states(bed, "a", "b", "join") == [.skipped, .skipped, .skipped])
    #expect(bed.storedReason("a") == "choose chose no case")
  }

  @Test func `several may be chosen, and no choice lets all run`() {
    var bed = TestBed(Self.branch)
    bed.trigger()
    bed.finish("choose", choosing: .cases(["b", "a"]))
    #expect(states(bed, "a", "b") == [.running, .running])
    var other = TestBed(Self.branch)
    other.trigger()
    other.finish("choose")
    #expect(states(other, "a", "b") == [.running, .running])
  }

  @Test func `a task right below that also comes after a chosen one is not skipped`() {
    let plan = dag("choose", "a < choose", "join < choose a") {
      $0.task("choose") { $0.decision = .branch(cases: ["go": ["a"], "skip": ["join"]]) }
    }
    var bed = TestBed(plan)
    bed.trigger()
    bed.finish("choose", choosing: .cases(["go"]))
    #expect(states(bed, "a", "join") == [.running, TaskState.none])
    var empty = TestBed(plan)
    empty.trigger()
    empty.finish("choose", choosing: .cases(["skip"]))
    // As in Airflow: all_success does not take a skipped upstream task.
    #expect(states(empty, "a", "join") == [.skipped, .skipped])
  }

  @Test func `a choice skips also what other tasks still hold up`() {
    let plan = dag("choose", "other", "a < choose other") {
      $0.task("choose") { $0.decision = .branch(cases: ["a": ["a"]]) }
    }
    var bed = TestBed(plan)
    bed.trigger()
    bed.finish("choose", choosing: .cases([]))
    #expect(states(bed, "other", "a") == [.running, .skipped])
  }

  @Test func `a choice skips also what could not run, whichever task ends first`() {
    let plan = dag("choose", "other", "a < choose other", "after < a") {
      $0.task("choose") { $0.decision = .branch(cases: ["a": ["a"]]) }
    }
    var first = TestBed(plan)
    first.trigger()
    first.fail("other")
    #expect(states(first, "a", "after") == [.upstreamFailed, .upstreamFailed])
    first.finish("choose", choosing: .cases([]))
    #expect(states(first, "a") == [.skipped])
    #expect(first.transcript.contains("run 1 running -> failed"))
    #expect(first.storedReason("a") == "choose chose no case")
    var last = TestBed(plan)
    last.trigger()
    last.finish("choose", choosing: .cases([]))
    #expect(states(last, "a", "after") == [.skipped, .skipped])
    last.fail("other")
    #expect(last.transcript.contains("run 1 running -> success"))
  }

  @Test func `what is in line because a task could not run is not run once that is skipped`() {
    let plan = dag("f", "choose", "x < f choose", "z < x", "busy < f") {
      $0.task("choose") { $0.decision = .branch(cases: ["x": ["x"], "none": []]) }
      $0.task("z") { $0.triggerRule = .allFailed }
      $0.task("busy") {
        $0.triggerRule = .allDone
        $0.priorityWeight = 10
      }
    }
    var bed = TestBed(limits: Limits(parallelism: 2), plan)
    bed.trigger()
    bed.fail("f", isRetryable: false)
    #expect(states(bed, "x", "busy", "z") == [.upstreamFailed, .running, .scheduled])
    bed.finish("choose", choosing: .cases(["none"]))
    #expect(states(bed, "x", "z") == [.skipped, .skipped])
  }

  @Test func `a branch that is cleared, and mapped in the new version, has its instances`() {
    func plan(_ tasks: String..., version: String, branches: Bool) -> DAGPlan {
      dag("list", tasks[0], "x < b", "other", version: version) {
        if branches { $0.task("b") { $0.decision = .branch(cases: ["x": ["x"]]) } }
      }
    }
    var bed = TestBed(plan("b < list", version: "1", branches: true))
    bed.trigger()
    bed.finish("list", output: .list(count: 2))
    bed.finish("b", choosing: .cases(["x"]))
    bed.send(.dagsLoaded([plan("b < list*", version: "2", branches: false)]))
    bed.send(.clear(ClearRequest(keys: [TaskInstanceKey(run: 1, taskID: "b")])))
    #expect(bed.state("b", 0) == .running && bed.state("b", 1) == .running)
    #expect(bed.scheduler.difference(from: bed.restored) == nil)
  }

  @Test func `a choice skips what waits for a slot or for another try, and lets run what runs`() {
    let plan = dag("circuit", "ready < circuit", "failed < circuit", "begun < circuit") {
      $0.task("circuit") { $0.decision = .shortCircuit(ignoresTriggerRules: true) }
      for id in ["ready", "failed", "begun"] { $0.task(id) { $0.triggerRule = .always } }
      $0.task("failed") { $0.retries = 1 }
      $0.task("ready") { $0.priorityWeight = -10 }
      $0.maxActiveTasks = 3
    }
    var bed = TestBed(plan)
    bed.trigger()
    #expect(states(bed, "circuit", "ready", "failed", "begun") == [.running, .scheduled, .running, .running])
    bed.send(.setPaused(dagID: "dag", true))
    bed.fail("failed")
    bed.finish("circuit", choosing: .nothingBelow)
    #expect(states(bed, "ready", "failed", "begun") == [.skipped, .skipped, .running])
  }

  @Test func `two branches above one task both have to choose it`() {
    let plan = dag("x", "y", "a < x y", "b < x y") {
      for id in ["x", "y"] { $0.task(id) { $0.decision = .branch(cases: ["a": ["a"], "b": ["b"]]) } }
    }
    var bed = TestBed(plan)
    bed.trigger()
    bed.finish("x", choosing: .cases(["a"]))
    #expect(states(bed, "a", "b") == [TaskState.none, .skipped])
    bed.finish("y", choosing: .cases(["b"]))
    #expect(states(bed, "a") == [.skipped])
  }

  @Test func `a strict short circuit skips everything below but teardowns, whatever the rules`() {
    let plan = dag("create", "circuit < create", "a < circuit", "b < a", "drop < b") {
      $0.task("create") { $0.role = .setup }
      $0.task("circuit") { $0.decision = .shortCircuit(ignoresTriggerRules: true) }
      $0.task("b") { $0.triggerRule = .allDone }
      $0.task("drop") {
        $0.role = .teardown(setups: ["create"], failsRun: false)
        $0.triggerRule = .allDoneSetupSuccess
      }
    }
    var bed = TestBed(plan)
    bed.trigger()
    bed.finish("create")
    bed.finish("circuit", choosing: .nothingBelow)
    #expect(states(bed, "a", "b", "drop") == [.skipped, .skipped, .running])
    #expect(bed.storedReason("b") == "circuit returned false")
  }

  @Test func `a mild short circuit leaves the rest to the rules`() {
    let plan = dag("circuit", "a < circuit", "b < a") {
      $0.task("circuit") { $0.decision = .shortCircuit(ignoresTriggerRules: false) }
      $0.task("b") { $0.triggerRule = .allDone }
    }
    var bed = TestBed(plan)
    bed.trigger()
    bed.finish("circuit", choosing: .cases([]))
    #expect(states(bed, "a", "b") == [.skipped, .running])
  }

  // MARK: Clearing

  private func clear(_ id: String, _ bed: inout TestBed) {
    let run = bed.scheduler.snapshot(ofRun: 1)
    bed.send(.clear(ClearRequest(keys: [TaskInstanceKey(run: 1, taskID: id)], loaded: run.map { [$0] } ?? [])))
  }

  @Test func `a task that was not chosen and is cleared is skipped again`() {
    var bed = TestBed(Self.branch)
    bed.trigger()
    bed.finish("choose", choosing: .cases(["a"]))
    clear("b", &bed)
    #expect(bed.state("b") == .skipped)
    bed.finish("a")
    #expect(states(bed, "a", "b", "join") == [.success, .skipped, .running])
  }

  @Test func `a branch that is cleared chooses anew`() {
    var bed = TestBed(Self.branch)
    bed.trigger()
    bed.finish("choose", choosing: .cases(["a"]))
    clear("choose", &bed)
    #expect(bed.transcript.contains("no choice of choose"))
    clear("b", &bed)
    #expect(bed.state("b") == TaskState.none)
    bed.finish("choose", choosing: .cases(["b"]))
    #expect(bed.state("b") == .running)
  }

  @Test func `a scheduler that is restored keeps to the choices`() throws {
    var bed = TestBed(Self.branch)
    bed.trigger()
    bed.finish("choose", choosing: .cases(["a"]))
    let run = try #require(bed.scheduler.snapshot(ofRun: 1))
    #expect(run.choices == ["choose": .cases(["a"])])
    let entry = RunEntry(run, plan: Self.branch, dag: 0)
    #expect(entry.choices.excluder(of: Self.branch.position(of: "b")!) == Self.branch.position(of: "choose"))
    #expect(entry.choices.excluder(of: Self.branch.position(of: "a")!) == nil)
  }

  /// A task is put in front of the chosen one, and the run moves to that version.
  @Test func `a choice is of cases, and follows them in another version of the DAG`() throws {
    var bed = TestBed(Self.branch)
    bed.trigger()
    bed.finish("choose", choosing: .cases(["a"]))
    let run = try #require(bed.scheduler.snapshot(ofRun: 1))
    let mended = dag("choose", "prepare < choose", "a < prepare", "b < choose") {
      $0.task("choose") { $0.decision = .branch(cases: ["a": ["prepare"], "b": ["b"]]) }
    }
    let choices = RunEntry(run, plan: mended, dag: 0).choices
    let excluded = ["choose", "prepare", "a", "b"].filter { choices.excluder(of: mended.position(of: $0)!) != nil }
    #expect(excluded == ["b"])
    // No branch any more, it excludes nothing.
    let plain = dag("choose", "a < choose", "b < choose")
    #expect(RunEntry(run, plan: plain, dag: 0).choices.excluder(of: plain.position(of: "b")!) == nil)
  }

  @Test func `what chose in another version is cleared with its choice`() {
    var bed = TestBed(dag("choose", "other < choose"))
    bed.trigger()
    bed.finish("choose", choosing: .cases(["a"]))
    clear("choose", &bed)
    #expect(bed.transcript.contains("no choice of choose"))
  }

  @Test func `the reason of what is not chosen does not grow with what is`() {
    let many = (0..<1000).map { "a\($0)" }
    let plan = dag("choose", "b < choose", many.map { "\($0) < choose" }.joined(separator: "\n")) {
      $0.task("choose") { $0.decision = .branch(cases: ["many": many, "b": ["b"]]) }
    }
    var bed = TestBed(plan)
    bed.trigger()
    bed.finish("choose", choosing: .cases(["many"]))
    #expect(bed.storedReason("b") == "choose chose many")
  }

  // MARK: Latest only

  private static let latest = dag("latest", "a < latest") {
    $0.schedule = .cron("0 * * * *")
    $0.startDate = Timestamp(iso8601: "2025-12-31T00:00:00Z")
    $0.catchup = true
    $0.maxActiveRuns = 1
    $0.task("latest") {
      $0.work = .empty
      $0.decision = .latestOnly
    }
  }

  @Test func `only the run of the newest date continues`() {
    var bed = TestBed(Self.latest)
    // Of the dates that are due, all but the newest are over at once.
    var moves = bed.transcript
    while bed.scheduler.unfinishedRuns.isEmpty || bed.state("a", run: bed.scheduler.unfinishedRuns[0]) != .running {
      if bed.send(.wake).changes.isEmpty { break }
      moves += bed.transcript
    }
    #expect(moves.count { $0 == "a none -> skipped try 0" } == 24)
    #expect(bed.scheduler.unfinishedRuns.count == 1)
    let run = bed.scheduler.unfinishedRuns.first ?? 0
    #expect(bed.scheduler.run(run)?.logicalDate == bed.now)
    #expect(bed.state("a", run: run) == .running)
  }

  @Test func `a manual run always continues`() {
    var bed = TestBed(
      dag("latest", "a < latest") { $0.task("latest") { ($0.work, $0.decision) = (.empty, .latestOnly) } })
    bed.trigger(logicalDate: "2020-01-01T00:00:00Z")
    #expect(states(bed, "latest", "a") == [.success, .running])
  }
}

extension TestBed {
  /// How the last step moved the task.
  fileprivate func lastMove(of taskID: String) -> TaskTransition? {
    let moves = last.changes.map { change -> TaskTransition? in
      if case .taskChanged(let move) = change, move.key.taskID == taskID { move } else { nil }
    }
    return moves.compactMap(\.self).last
  }

  /// Why, as it is stored.
  fileprivate func storedReason(_ taskID: String) -> String? { lastMove(of: taskID)?.reason }

  fileprivate mutating func finish(_ taskID: String, choosing choice: DownstreamChoice?, run: Int64 = 1) {
    let key = TaskInstanceKey(run: run, taskID: taskID)
    var result = TaskResult(.success)
    result.choice = choice
    send(.taskFinished(TryKey(key, scheduler.taskInstance(key)!.tryNumber), result))
  }
}
