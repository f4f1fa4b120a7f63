import Dagrun
import Model
import Preparation
import Testing

/// What a try is given.
@Suite struct TaskPreparerTests {
  private let preparer = TaskPreparer(dagsFolder: "/dags")
  private let key = TryKey(run: 7, taskID: "t", number: 2)

  private func task(_ work: TaskDescription.Work, _ change: (inout TaskDescription) -> Void = { _ in })
    -> TaskDescription
  {
    var task = TaskDescription(id: "t", work: work, location: SourceLocation(file: "", line: 0))
    change(&task)
    return task
  }

  private func facts(reads: Set<String> = []) -> RunFacts {
    let context = RunContext(
      dagID: "d", runID: "manual__1", runAfter: Timestamp(iso8601: "2026-01-31T03:00:00+00:00")!,
      parameters: ["region": .string("eu west")], variables: ["api_token": "s3cret"])
    return RunFacts(
      context: context, logFolder: "/home/logs/d/r", library: "/cache/x.so", entry: "main", readTaskIDs: reads)
  }

  @Test func `a script is quoted where its values stand, and knows its run and its try`() throws {
    let workload = try preparer.prepare(
      task(.bash(script: "cp \(.param("region")) \(.ds)")) {
        $0.environment = ["DAY": "\(.ds)", "DAGRUN_RUN_ID": "own"]
        $0.workingDirectory = "sub"
      }, key, facts(reads: ["t"]), TaskInputs())
    guard case .bash(let script, let environment, let folder) = try #require(workload).work else {
      Issue.record("\(String(describing: workload))")
      return
    }
    #expect(script == "cp 'eu west' '2026-01-31'")
    #expect(folder == "/dags/sub")
    // The author's win.
    #expect(
      environment == [
        "DAGRUN_DAG_ID": "d", "DAGRUN_RUN_ID": "own", "DAGRUN_TASK_ID": "t", "DAGRUN_TRY_NUMBER": "2",
        "DAGRUN_LOGICAL_DATE": "2026-01-31T03:00:00+00:00", "DAY": "2026-01-31",
      ])
    #expect(workload?.outputIsRead == true && workload?.hidesScript == true)
  }

  @Test func `a Swift task gets its inputs in order, and null for what was skipped`() throws {
    let workload = try preparer.prepare(
      task(.swift) { $0.inputs = ["b", "a"] }, key, facts(),
      TaskInputs(outputs: ["a": "1"], missing: ["b": "skipped"]))
    #expect(workload?.work == .swift(library: "/cache/x.so", entry: "main", inputs: ["null", "1"]))
    #expect(workload?.missingOutputs == ["b": "skipped"] && workload?.outputIsRead == false)
  }

  @Test func `an instance of a mapped task gets its element first, and knows which it is`() throws {
    let mapped = TryKey(TaskInstanceKey(run: 7, taskID: "t", mapIndex: 3), 1)
    let swift = try preparer.prepare(
      task(.swift) { ($0.inputs, $0.mapping) = (["a"], TaskMapping([.output(taskID: "list")])) }, mapped, facts(),
      TaskInputs(outputs: ["a": "1"], elements: ["\"x\""]))
    #expect(swift?.work == .swift(library: "/cache/x.so", entry: "main", inputs: ["\"x\"", "1"]))
    let bash = try preparer.prepare(
      task(.bash(script: "echo \(.mapIndex)")) { $0.mapping = TaskMapping([.literal(["1"])]) }, mapped, facts(),
      TaskInputs(elements: ["1"]))
    guard case .bash(let script, let environment, _) = try #require(bash).work else { return }
    #expect(script == "echo '3'" && environment["DAGRUN_MAP_INDEX"] == "3")
  }

  @Test func `a mapped task without an element is an error in words`() {
    let error = #expect(throws: PreparationError.self) {
      try preparer.prepare(
        task(.swift) { $0.mapping = TaskMapping([.output(taskID: "list")]) }, key, facts(), TaskInputs())
    }
    #expect(error?.description == "it is mapped over a list, and was given no element of it")
  }

  @Test func `a task without work is nothing to run`() throws {
    #expect(try preparer.prepare(task(.empty), key, facts(), TaskInputs()) == nil)
  }

  @Test func `a value that is not there is an error in words, with the state of who should have it`() {
    let error = #expect(throws: PreparationError.self) {
      try preparer.prepare(task(.bash(script: "echo \(.var("nobody"))")), key, facts(), TaskInputs())
    }
    #expect(error?.description.contains("there is no variable \"nobody\"") == true)
  }

  @Test func `what is shown has masks and names where values must not or cannot stand`() throws {
    let values = Template.Values(run: facts().context, taskID: "t", tryNumber: 1)
    let shown = try RenderedTask(task(.bash(script: "login \(.var("api_token"))")), values.shown(for: task(.empty)))
    #expect(shown.script == "login '***'" || shown.script == "login ***", "\(shown.script ?? "")")
  }

  @Test func `a run that is only assumed has the context of one in the database`() {
    let date = Timestamp(iso8601: "2026-01-31T00:00:00+00:00")!
    func run(_ number: Int64, _ date: Timestamp) -> DAGRun {
      DAGRun(
        number: number, dagID: "d", runID: RunIDs.manual(date), type: .manual, state: .success, logicalDate: date,
        dataInterval: nil, runAfter: date, queuedAt: date, conf: "{}", version: "")
    }
    let context = RunContext(
      of: run(0, date), previous: run(1, date.adding(seconds: -86_400)), parameters: [:], variables: [:])
    // A manual run counts its logical date as its interval.
    #expect(context.previousSuccessStart == date.adding(seconds: -86_400))
    #expect(context.dataIntervalStart == nil && context.logicalDate == date)
  }
}
