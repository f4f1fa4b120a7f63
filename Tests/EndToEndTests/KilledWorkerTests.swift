import Foundation
import Processes
import Testing

/// Workers and their scheduler are killed with SIGKILL at random instants. A try whose worker was killed has failed, is
/// recorded as such, and leaves no process; its retry runs. No try runs twice.
///
/// `DAGRUN_CRASH_COUNT` and `DAGRUN_CRASH_SEED` as for `A killed scheduler`.
@Suite(.blocking, .serialized) struct `A killed worker` {
  @Test func `costs its try, and nothing else`() throws {
    let kills = CrashSeed.count(20)
    let seed = CrashSeed.announced(for: "worker crash test", count: kills)
    var random = SplitMix(state: seed)

    let project = try Project()
    let records = project.path + "/records"
    try project.write("crash", CrashDAG.source(records: records, retries: 1000))
    #expect(try project.run("trigger", "crash", "-r", "undisturbed", timeout: 120).code == 0)

    var runs: [String] = []
    var killed = 0
    var killedWorkers = 0
    while killed < kills {
      let run = "run_\(runs.count)"
      runs.append(run)
      #expect(try project.run("trigger", "crash", "-r", run, "--no-wait").code == 0)
      // Kills until the run has ended, or all kills are done.
      while killed < kills {
        let scheduler = try project.start("scheduler", "--until-idle")
        let process = try ProcessDescriptor(pid: scheduler.pid)
        var hasEnded = false
        var isKilled = false
        while killed < kills, !hasEnded, !isKilled {
          hasEnded = process.hasEnded(within: Int32(random.next() % 150))
          if hasEnded { break }
          if random.next() % 4 == 0 {
            scheduler.signal(SIGKILL)
            isKilled = true
            killed += 1
          } else {
            let workers = project.workers
            guard !workers.isEmpty else { continue }
            kill(workers[Int(random.next() % UInt64(workers.count))], SIGKILL)
            killed += 1
            killedWorkers += 1
          }
        }
        if isKilled || !hasEnded { scheduler.signal(SIGKILL) }
        let code = try scheduler.waitForEnd()
        if hasEnded {
          #expect(code == 0, "seed \(seed), \(scheduler.text)")
          break
        }
      }
      let last = try project.run("scheduler", "--until-idle", timeout: 120)
      #expect(last.code == 0, "seed \(seed), \(last.errors)")
    }
    print("killed \(killedWorkers) workers and \(killed - killedWorkers) schedulers in \(runs.count) runs")

    let lines = try String(contentsOfFile: records, encoding: .utf8).split(separator: "\n").map(String.init)
    let counts = Dictionary(lines.map { ($0, 1) }, uniquingKeysWith: +)
    #expect(counts.allSatisfy { $0.value == 1 }, "\(counts.filter { $0.value != 1 }), seed \(seed)")
    for run in runs {
      for task in try project.taskStates("crash", run) {
        let context: Comment = "seed \(seed), \(run), \(task.taskID), try \(task.tryNumber)"
        #expect(task.state == "success", context)
        // The last try is the only one that succeeded; of those before it, each began at most once.
        #expect(counts["\(run) \(task.taskID) \(task.tryNumber)"] == 1, context)
        #expect(counts["\(run) \(task.taskID) \(task.tryNumber + 1)"] == nil, context)
      }
      let log = try project.run("tasks", "logs", "crash", run, "result").output
      #expect(log.contains(CrashDAG.result), "seed \(seed), \(run)")
    }
    #expect(project.waitForNoSurvivors(), "\(project.survivors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: project.home + "/workers").count < 10)
  }

  @Test func `takes with it whatever its script had started`() throws {
    let project = try Project([
      "killer": """
      import Dagrun

      DAG("killer", defaults: .init(retries: 1, retryDelay: .milliseconds(1))) {
        BashOperator(
          "shell",
          \"""
          [ $DAGRUN_TRY_NUMBER = 1 ] || exit 0
          sleep 1000 &
          setsid sleep 1000 &
          (setsid bash -c 'sleep 1000 & sleep 1000' &)
          kill -KILL $PPID
          sleep 1000
          \""")
      }
      """
    ])
    #expect(try project.run("trigger", "killer", "-r", "r").code == 0)
    let states = try project.taskStates("killer", "r")
    #expect(states.map(\.state) == ["success"])
    #expect(states.map(\.tryNumber) == [2])
    #expect(project.waitForNoSurvivors())
    let log = try project.run("tasks", "logs", "killer", "r", "shell", "--try", "1").output
    #expect(log.contains("SIGKILL"))
    #expect(log.contains("processes that the task had left behind"))
  }
}
