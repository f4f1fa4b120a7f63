import CloudEmulator
import Foundation
import Processes
import Testing

/// The process that drives jobs is killed with SIGKILL at random instants, while the cloud answers badly, preempts and
/// has no room. In the end there is one result of each job, never were two machines of one job on at once, and nothing
/// is left. A failure tells the story of its job: what happened to its machines and its messages, and when.
///
/// `DAGRUN_CRASH_COUNT` says how many kills (4 if unset), `DAGRUN_CRASH_SEED` which ones (`CrashSeed`).
@Suite(.blocking, .serialized) struct `A killed driver of jobs` {
  private let kills: Int
  private let seed: UInt64

  init() {
    kills = CrashSeed.count(4)
    seed = CrashSeed.announced(for: "job crash test", count: kills)
  }

  /// Google's waits are for Google's times. The ack deadline is the shortest there is: what a killed process was just
  /// being told comes again after it.
  private static let timings = """
    {"firstLookSeconds": 0.3, "longestLookSeconds": 1, "graceSeconds": 3, "loanSeconds": 14, "logGraceSeconds": 12,
    "silenceSeconds": 12, "firstBackoffSeconds": 0.2, "longestBackoffSeconds": 1, "firstLadderPauseSeconds": 0.5,
    "longestLadderPauseSeconds": 1, "acknowledgeLimitSeconds": 10, "acknowledgeSeconds": 2, "removalLimitSeconds": 120,
    "longestRetrySeconds": 1}
    """

  private func makeCloud() async throws -> RecordedCloud {
    var options = EmulatorOptions()
    options.seed = seed
    options.delivery.duplicateProbability = 0.1
    options.delivery.isReordered = true
    options.timing.preemptionGraceSeconds = 2
    options.timing.shutDownGraceSeconds = 5
    options.timing.creationRetrySeconds = 1
    let changes = ["compute.instance*", "pubsub.*"].map { RequestPattern(method: $0) }
    options.faults = [
      FaultRule(.creation(MachinePattern(zone: "europe-west1-b"), .stockOut), probability: 0.5),
      FaultRule(.preemption(MachinePattern(isSpot: true), afterSeconds: 1.5), probability: 0.35),
    ]
    for pattern in changes {
      options.faults += [
        FaultRule(.request(pattern, .answerLost), probability: 0.04),
        FaultRule(.request(pattern, .dropped), probability: 0.02),
        FaultRule(.request(pattern, .status(503)), probability: 0.05),
        FaultRule(.request(pattern, .delay(seconds: 0.3)), probability: 0.1),
      ]
    }
    return try await RecordedCloud(options)
  }

  private func makeProject(_ cloud: RecordedCloud, _ files: [String: String] = [:]) throws -> Project {
    let project = try Project(files)
    project.environment.merge(cloud.emulator.environment) { $1 }
    project.environment["DAGRUN_JOB_TIMINGS"] = Self.timings
    return project
  }

  /// Waits until a random instant. Soon after a start many things are taken up at once; later it waits.
  private func hasEnded(_ process: Started, _ random: inout SplitMix) throws -> Bool {
    let milliseconds = random.next() % 2 == 0 ? random.next() % 700 : random.next() % 4000
    return try ProcessDescriptor(pid: process.pid).hasEnded(within: Int32(milliseconds))
  }

  /// Leaves word of its beginning and its end, and prints lines between.
  private static func script(_ name: String) -> String {
    """
    token=$RANDOM$RANDOM$RANDOM
    \(RecordedCloud.leaveWord("$DAGRUN_RUN_ID.\(name).begun.$token"))
    for number in 1 2 3 4 5; do echo "line $number of $token"; sleep 0.4; done
    \(RecordedCloud.leaveWord("$DAGRUN_RUN_ID.\(name).ended.$token"))
    echo $token > $DAGRUN_OUTPUT
    """
  }

  private func dag(_ cloud: RecordedCloud) -> String {
    let jobs = ["one", "two"]
    let scripts = (jobs + ["three"]).map { name in
      "let \(name)Script = #\"\"\"\n#!/bin/bash\n\(Self.script(name))\n\"\"\"#"
    }
    return """
      import Dagrun

      \(scripts.joined(separator: "\n"))
      let machine = JobConfig(project: "demo", image: "debian").spot(thenOnDemand: true)
        .zones("europe-west1-b", "europe-west1-c").maxAttempts(60).environment(["EMULATOR": "\(cloud.emulator.address)"])

      DAG("remote") {
        let one = ComputeEngineJobOperator("one", job: machine, command: "\\(raw: oneScript)")
        let two = ComputeEngineJobOperator("two", job: machine, command: "\\(raw: twoScript)")
        let group = ComputeEngineJobGroupOperator(
          "group", job: machine,
          specs: [.init(command: "\\(raw: threeScript)"), .init(command: "echo one; sleep 1; echo two")])
        one --> two
        BashOperator("one_after", "echo reported \\(one.output(as: String.self))")
        BashOperator("two_after", "echo reported \\(two.output(as: String.self))")
        SwiftOperator("after_group", group.output) { context, results in
          context.log.info("all went well: \\(results.map(\\.exitStatus))")
        }
      }
      """
  }

  @Test func `repeats no job of a task, and leaves none`() async throws {
    var random = SplitMix(state: seed)
    let cloud = try await makeCloud()
    let project = try makeProject(cloud, ["remote": dag(cloud)])
    var killed = 0
    var rounds = 0
    while killed < kills || rounds == 0 {
      rounds += 1
      let run = "r\(rounds)"
      let triggered = try project.run("trigger", "remote", "-r", run, "--no-wait")
      try #require(triggered.code == 0, "\(triggered.errors)")
      while killed < kills {
        cloud.story.note(.driver("begins"), ofJob: nil)
        let scheduler = try project.start("scheduler", "--until-idle")
        if try hasEnded(scheduler, &random) {
          #expect(try scheduler.waitForEnd() == 0, "seed \(seed), \(scheduler.text)")
          break
        }
        scheduler.signal(SIGKILL)
        _ = try scheduler.waitForEnd()
        cloud.story.note(.driver("killed"), ofJob: nil)
        killed += 1
      }
      let last = try project.run("scheduler", "--until-idle", timeout: 240)
      #expect(last.code == 0, "seed \(seed), \(last.errors)")
      let states = try project.taskStates("remote", run)
      #expect(
        states.count == 6 && states.allSatisfy { $0.state == "success" && $0.tryNumber == 1 },
        "\(states), \(last.errors), seed \(seed)")
      for task in ["one", "two"] {
        let token = try project.run("tasks", "logs", "remote", run, "\(task)_after").output
        let log = try project.run("tasks", "logs", "remote", run, task).output
        try expectExact("\(run).\(task)", cloud, log: log, token: token)
      }
      let log = try project.run("tasks", "logs", "remote", run, "after_group").output
      #expect(log.contains("all went well: [0, 0]"), "\(log), seed \(seed)")
    }
    try await expectNothingLeft(cloud, project)
    let booted = cloud.machines.all.booted
    print("killed \(killed) schedulers; \(booted.count) machines for \(Set(booted.map(\.job)).count) jobs")
    await cloud.end()
  }

  /// As Airflow repeats a task: the same command, the same name.
  @Test func `is one job however often it is run by its name`() async throws {
    var random = SplitMix(state: seed &+ 1)
    let cloud = try await makeCloud()
    let project = try makeProject(cloud)
    let script = project.path + "/script.sh"
    try ("#!/bin/bash\n" + Self.script("one")).write(toFile: script, atomically: true, encoding: .utf8)
    let command = [
      "job", "run", "--project", "demo", "--image", "debian", "--spot-then-standard", "--zone",
      "europe-west1-b", "--zone", "europe-west1-c", "--max-attempts", "60", "-e", "EMULATOR=\(cloud.emulator.address)",
      "-o", "json", "--script", script,
    ]
    var killed = 0
    var rounds = 0
    while killed < kills || rounds == 0 {
      rounds += 1
      let name = "one-\(rounds)"
      let command = command + ["-e", "DAGRUN_RUN_ID=\(name)", "--name", name]
      var ended: (code: Int, text: String)?
      while killed < kills, ended == nil {
        cloud.story.note(.driver("begins"), ofJob: nil)
        let job = try project.start(command)
        if try !hasEnded(job, &random) {
          job.signal(SIGKILL)
          cloud.story.note(.driver("killed"), ofJob: nil)
          killed += 1
        }
        // Also one that was at its end in that very moment.
        let code = try job.waitForEnd()
        if code != 128 + Int(SIGKILL) { ended = (code, job.text) }
      }
      if ended == nil {
        let last = try project.run(command, timeout: 240)
        ended = (last.code, last.output + last.errors)
      }
      // It may have been killed after its end was kept: then it is told that it is over.
      let (code, text) = try #require(ended)
      #expect(code == 0 || text.contains("there was a job \(name) already"), "\(text), seed \(seed)")
      let attached = try project.run("job", "attach", name, "-o", "json")
      #expect(attached.code == 0, "\(attached.errors), seed \(seed)")
      let log = try project.run("job", "logs", name).output
      try expectExact("\(name).one", cloud, log: log, token: attached.output)
    }
    try await expectNothingLeft(cloud, project)
    print("killed \(killed) commands; \(cloud.machines.all.booted.count) machines for \(rounds) jobs")
    await cloud.end()
  }

  /// A home that dies for good: another one knows the job's name and project, and that is enough.
  @Test func `leaves a job that another home brings to its end`() async throws {
    var random = SplitMix(state: seed &+ 2)
    let cloud = try await makeCloud()
    let project = try makeProject(cloud)
    let script = project.path + "/script.sh"
    try ("#!/bin/bash\n" + Self.script("one")).write(toFile: script, atomically: true, encoding: .utf8)
    let first = try project.start([
      "job", "run", "--name", "one", "--project", "demo", "--image", "debian", "--zone", "europe-west1-c", "-e",
      "EMULATOR=\(cloud.emulator.address)", "-e", "DAGRUN_RUN_ID=r", "--script", script,
    ])
    #expect(first.wait(seconds: 60) { $0.contains("the machine is up") || $0.contains("runs on") }, "\(first.text)")
    _ = try ProcessDescriptor(pid: first.pid).hasEnded(within: Int32(random.next() % 1500))
    first.signal(SIGKILL)
    _ = try first.waitForEnd()
    let command = ["job", "attach", "one", "--project", "demo", "--home", project.path + "/other", "-o", "json"]
    for _ in 0..<kills / 2 {
      let job = try project.start(command)
      if try hasEnded(job, &random) { break }
      job.signal(SIGKILL)
      _ = try job.waitForEnd()
    }
    let last = try project.run(command, timeout: 240)
    #expect(last.code == 0, "\(last.output)\(last.errors), \(first.text), seed \(seed)")
    let words = cloud.words
    let ended = cloud.ends(of: "r.one")
    #expect(
      ended.count == 1 && last.output.contains(ended[0].token),
      "\(words), \(last.output), seed \(seed), \(cloud.story(of: "r.one"))")
    try await expectNothingLeft(cloud, project)
    await cloud.end()
  }

  /// The container that is reported is one that came to its end, and its lines are in the log once each. No other came
  /// to its end, unless its machine was preempted and could not tell of it any more.
  private func expectExact(_ name: String, _ cloud: RecordedCloud, log: String, token: String) throws {
    let words = cloud.words
    let ends = cloud.ends(of: name)
    let story = cloud.story(of: name)
    let told = ends.filter { token.contains($0.token) }
    #expect(told.count == 1, "\(token), \(words), seed \(seed), \(story)")
    let reported = try #require(told.first?.token)
    for end in ends where end.token != reported {
      #expect(cloud.story.isLostWithItsResult(machine: end.machine), "\(end), \(words), seed \(seed), \(story)")
    }
    let lines = log.split(separator: "\n").map(String.init).filter { $0.hasSuffix(" of \(reported)") }
    #expect(lines == (1...5).map { "line \($0) of \(reported)" }, "\(log), seed \(seed)")
  }

  private func expectNothingLeft(_ cloud: RecordedCloud, _ project: Project) async throws {
    let history = cloud.machines.all
    #expect(history.seconds.isEmpty, "\(history.seconds), seed \(seed)")
    let inventory = await cloud.emulator.inventory()
    #expect(inventory.isEmpty, "\(inventory), seed \(seed)")
    #expect(project.waitForNoSurvivors(), "\(project.survivors), seed \(seed)")
  }
}
