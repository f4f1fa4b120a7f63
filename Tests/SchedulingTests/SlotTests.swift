import Dagrun
import Model
import Testing

@testable import Scheduling

@Suite struct SlotTests {
  @Test func `what holds up the most goes first`() {
    var bed = TestBed(dag("a", "b", "c < b", "d < c", "e < a"), parallelism: 1)
    bed.trigger()
    #expect(bed.launched == ["b"])
    bed.finish("b")
    #expect(bed.launched == ["a"])
    bed.finish("a")
    #expect(bed.launched == ["c"])
  }

  @Test(arguments: [
    (WeightRule.downstream, [4, 2, 2, 1] as [Int64]), (.upstream, [1, 2, 2, 4]), (.absolute, [1, 1, 1, 1]),
  ])
  func `weights count each relative once`(rule: WeightRule, expected: [Int64]) {
    // A diamond: two paths lead from a to d.
    let plan = dag("a", "b < a", "c < a", "d < b c") { description in
      for index in description.tasks.indices { description.tasks[index].weightRule = rule }
    }
    #expect(plan.priorities == expected)
  }

  @Test func `weights of a large graph equal those of a plain search`() {
    var state: UInt64 = 3
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var description = DAGDescription(id: "dag", location: SourceLocation(file: "", line: 0))
    for index in 0..<900 {
      var task = TaskDescription(id: "t\(index)", work: .swift, location: SourceLocation(file: "", line: 0))
      task.priorityWeight = 1 + random(5)
      for _ in 0..<random(4) where index > 0 {
        let upstream = "t\(random(index))"
        if !task.upstream.contains(upstream) { task.upstream.append(upstream) }
      }
      description.tasks.append(task)
    }
    let plan = DAGPlan(description, version: "1")
    for position in 0..<plan.count {
      let relatives = plan.downstream.reachable(from: position) + [Int32(position)]
      let sum = relatives.reduce(Int64(0)) { $0 + Int64(description.tasks[Int($1)].priorityWeight) }
      #expect(plan.priorities[position] == sum)
    }
  }

  @Test func `a full pool holds tasks back, and says so`() {
    var bed = TestBed(
      dag("a", "b") { dag in for index in 0..<2 { dag.tasks[index].pool = "gpu" } },
      pools: [.standard, Pool(name: "gpu", slots: 1)])
    bed.trigger()
    #expect(bed.launched == ["a"])
    #expect(bed.reasons("b") == ["pool gpu has no room: 1 of 1 slots are in use, 1 needed"])
    bed.send(.setPool(Pool(name: "gpu", slots: 2)))
    #expect(bed.transcript == ["pool gpu 2", "b scheduled -> running try 1", "launch b try 1"])
  }

  @Test func `a task of a pool that nobody made waits for it`() {
    var bed = TestBed(dag("a") { $0.tasks[0].pool = "gpu" })
    bed.trigger()
    #expect(bed.reasons("a") == ["there is no pool gpu"])
    bed.send(.setPool(Pool(name: "gpu", slots: 1)))
    #expect(bed.launched == ["a"])
  }

  @Test func `a task that needs many slots does not hold up one that needs few`() {
    var bed = TestBed(
      dag("a", "big", "small") { dag in
        dag.tasks[1].poolSlots = 2
        dag.tasks[1].priorityWeight = 9
      }, pools: [Pool(name: "default_pool", slots: 2)], parallelism: 8)
    bed.trigger()
    #expect(bed.launched == ["big"])
    bed.finish("big")
    #expect(bed.launched == ["a", "small"])
  }

  @Test func `a deferred task keeps its slot where the pool says so`() {
    var bed = TestBed(dag("a", "b"), pools: [Pool(name: "default_pool", slots: 1, includeDeferred: true)])
    bed.trigger()
    bed.send(.taskFinished(TryKey(run: 1, taskID: "a", number: 1), TaskResult(.deferred(.event))))
    #expect(bed.launched.isEmpty)
    bed.send(.setPool(Pool(name: "default_pool", slots: 1, includeDeferred: false)))
    #expect(bed.launched == ["b"])
  }

  @Test func `no run has more active tasks than max_active_tasks`() {
    var bed = TestBed(dag("a", "b", "c") { $0.maxActiveTasks = 2 })
    bed.trigger()
    #expect(bed.launched == ["a", "b"])
    #expect(bed.reasons("c") == ["its run has 2 active tasks, as many as max_active_tasks lets it have"])
    bed.trigger()
    #expect(bed.launched == ["a", "b"])
    bed.finish("b")
    #expect(bed.launched == ["c"])
  }

  @Test func `max_active_tis_per_dag holds over all runs`() {
    var bed = TestBed(dag("a", "b") { $0.task("a") { $0.maxActivePerDAG = 1 } })
    bed.trigger()
    bed.trigger()
    #expect(bed.launched == ["b"])
    #expect(bed.reasons("a", run: 2) == ["all runs have 1 active instance of the task, as many as there may be"])
    bed.finish("a", run: 1)
    #expect(bed.last.actions == [.launch(TryKey(run: 2, taskID: "a", number: 1))])
  }

  @Test func `runs beyond max_active_runs wait in order`() {
    var bed = TestBed(dag("a") { $0.maxActiveRuns = 1 })
    bed.trigger()
    bed.trigger()
    #expect(bed.launched.isEmpty)
    #expect(
      bed.reasons("a", run: 2)
        == ["its run is queued: the DAG has 1 active run, as many as max_active_runs lets it have"])
    bed.finish("a", run: 1)
    #expect(
      bed.transcript == [
        "run 1 running -> success", "run 2 queued -> running", "a running -> success try 1",
        "a none -> running try 1", "launch a try 1",
      ])
  }

  @Test func `a paused DAG starts nothing, and what runs continues`() {
    var bed = TestBed(dag("a", "b < a"))
    bed.trigger()
    bed.send(.setPaused(dagID: "dag", true))
    bed.finish("a")
    #expect(bed.transcript == ["a running -> success try 1", "b none -> scheduled try 0"])
    #expect(bed.reasons("b") == ["the DAG dag is paused"])
    bed.send(.setPaused(dagID: "dag", false))
    #expect(bed.launched == ["b"])
  }

  @Test func `an offline scheduler answers and starts nothing`() {
    var bed = TestBed(dag("a"), parallelism: 0)
    bed.trigger(runID: "r")
    #expect(bed.transcript == ["run 1 r created queued"])
    bed.send(.wake)
    #expect(bed.transcript.isEmpty && bed.scheduler.nextWake == nil)
  }

  private func withJob(_ tasks: String..., pool: String = TaskDescription.defaultPool) -> DAGPlan {
    var description = DAGDescription(id: "dag", location: SourceLocation(file: "", line: 0))
    for id in tasks {
      let job = ComputeEngineJobDescription(
        job: JobConfig(project: "my-project", image: "image"), specs: [.init(command: .image)])
      var task = TaskDescription(
        id: id, work: id.hasPrefix("job") ? .computeEngineJob(job) : .swift,
        location: SourceLocation(file: "", line: 0))
      if id.hasPrefix("job") { task.pool = pool }
      description.tasks.append(task)
    }
    return DAGPlan(description, version: "1")
  }

  @Test func `jobs do not count against parallelism, nor wait for it`() {
    var bed = TestBed(withJob("a", "b", "job1", "job2"), parallelism: 1)
    bed.trigger()
    #expect(bed.launched == ["a", "job1", "job2"])
    #expect(bed.reasons("b") == ["there are 1 active task, as many as parallelism allows"])
    bed.finish("job1")
    #expect(bed.launched == [])
    bed.finish("a")
    #expect(bed.launched == ["b"])
    bed.finish("b")
    bed.finish("job2")
    #expect(bed.launched == [])
  }

  @Test func `jobs take their slots in pools`() {
    var bed = TestBed(
      withJob("job1", "job2", pool: "gpu"), pools: [.standard, Pool(name: "gpu", slots: 1)], parallelism: 8)
    bed.trigger()
    #expect(bed.launched == ["job1"])
    #expect(bed.reasons("job2") == ["pool gpu has no room: 1 of 1 slots are in use, 1 needed"])
    bed.finish("job1")
    #expect(bed.launched == ["job2"])
  }

  @Test func `a job is queued until its container runs, and says that it waits for a machine`() {
    var bed = TestBed(withJob("job"))
    bed.trigger()
    #expect(bed.launched == ["job"])
    #expect(bed.reasons("job")[0].hasPrefix("try 1 is queued: waiting for a machine since "))
    bed.send(.taskStarted(TryKey(run: 1, taskID: "job", number: 1)))
    #expect(bed.reasons("job")[0].hasPrefix("try 1 is running since "))
  }
}
