import CloudEmulator
import Foundation
import Testing

/// Jobs of another scheduler's tasks: whatever is killed, the next try of the task finds the job, here or from another
/// machine, and no second VM is paid.
@Suite(.blocking, .serialized, .timeLimit(.minutes(5))) struct AdoptedJobTests {
  /// Google's waits are for Google's times.
  private static let timings = """
    {"firstLookSeconds": 0.3, "longestLookSeconds": 1, "graceSeconds": 2, "loanSeconds": 13, "logGraceSeconds": 1,
    "silenceSeconds": 10, "firstBackoffSeconds": 0.2, "longestBackoffSeconds": 1, "acknowledgeLimitSeconds": 10,
    "acknowledgeSeconds": 1, "longestRetrySeconds": 1}
    """

  /// A cloud, and a worker's machine with a home; `other` is another machine's.
  private final class World {
    let cloud: RecordedCloud
    let project: Project
    var other: String { project.path + "/other" }

    init(_ faults: [FaultRule] = []) async throws {
      var options = EmulatorOptions()
      options.faults = faults
      options.timing.shutDownGraceSeconds = 1
      cloud = try await RecordedCloud(options)
      project = try Project()
      project.environment.merge(cloud.emulator.environment) { $1 }
      project.environment["DAGRUN_JOB_TIMINGS"] = AdoptedJobTests.timings
    }

    func job(_ attempt: Int, home: String? = nil, _ options: String..., script: String) -> [String] {
      [
        "job", "run", "--home", home ?? project.home, "--project", "demo", "--image", "debian", "--zone",
        "europe-west1-b", "-o", "json", "--name", "base", "--attempt", "\(attempt)",
      ] + options + ["-e", "EMULATOR=\(cloud.emulator.address)", "--entrypoint", "/bin/sh", "--", "-c", script]
    }

    func start(_ arguments: [String]) throws -> SupervisedCommand {
      // What follows "--" is the container's.
      let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
      return try SupervisedCommand(project, Array(arguments[..<end]), rest: Array(arguments[end...]))
    }

    func serve(home: String? = nil) throws -> SupervisedCommand {
      try SupervisedCommand(
        project, ["job", "serve", "--home", home ?? project.home], hasLeash: false, isServer: true)
    }

    /// Waits until somebody asks for it.
    func hasAsked(_ method: String) async -> Bool {
      await cloud.emulator.inventory { $0.requests[method] != nil } != nil
    }

    var machines: Int { cloud.machines.all.booted.count }

    func expectNothingLeft() async {
      let inventory = await cloud.emulator.inventory()
      #expect(inventory.isEmpty, "\(inventory)")
      #expect(cloud.machines.all.seconds.isEmpty, "\(cloud.machines.all.seconds)")
    }
  }

  /// Runs until it is released (`RecordedCloud.leave`), so that whatever happens meanwhile happens while it runs.
  private static func script(until word: String = "go") -> String {
    """
    echo begun; until \(RecordedCloud.hasWord(word)); do sleep 0.1; done; echo done; echo 42 > $DAGRUN_OUTPUT
    """
  }

  @Test(arguments: [false, true])
  func `a command that is killed leaves its job to the next try`(isOtherHome: Bool) async throws {
    let world = try await World()
    let first = try world.start(world.job(1, script: Self.script()))
    try await first.waitUntilSaid(" runs on ")
    try await first.killAndWait()
    try await world.cloud.leave("go")
    let second = try world.start(world.job(2, home: isOtherHome ? world.other : nil, script: "echo another"))
    let result = try await second.waitForResult()
    #expect(result["name"] as? String == "base-1" && result["attempt"] as? Int == 1, "\(result)")
    #expect(result["output"] as? String == "42\n" && result["exit_status"] as? Int == 0)
    #expect(second.errors.contains("done\n") && !second.errors.contains("another\n"), "\(second.errors)")
    second.taken()
    #expect(try await second.waitForEnd() == 0)
    #expect(world.machines == 1)
    // That one is over now: the third try has a job of its own.
    let third = try world.start(world.job(3, home: isOtherHome ? world.other : nil, script: "echo three"))
    #expect(try await third.waitForResult()["name"] as? String == "base-3")
    third.taken()
    #expect(try await third.waitForEnd() == 0)
    #expect(world.machines == 2)
    await world.expectNothingLeft()
    await world.cloud.end()
  }

  @Test func `a result that nobody took is reported again, without a machine`() async throws {
    let world = try await World()
    let first = try world.start(world.job(1, script: "echo hello; exit 3"))
    #expect(try await first.waitForResult()["exit_status"] as? Int == 3)
    first.closeLifeline()
    #expect(try await first.waitForEnd() == 3)
    let second = try world.start(world.job(2, script: "echo another"))
    let result = try await second.waitForResult()
    #expect(result["name"] as? String == "base-1" && result["exit_status"] as? Int == 3, "\(result)")
    #expect(second.errors.contains("hello\n"), "\(second.errors)")
    second.taken()
    #expect(try await second.waitForEnd() == 3)
    #expect(world.machines == 1)
    let third = try world.start(world.job(2, script: "echo another"))
    #expect(try await third.waitForResult()["name"] as? String == "base-2")
    #expect(world.machines == 2)
    await world.expectNothingLeft()
    await world.cloud.end()
  }

  @Test func `the end of the leash leaves the job as it is`() async throws {
    let world = try await World()
    let first = try world.start(world.job(1, script: Self.script()))
    try await first.waitUntilSaid(" runs on ")
    first.closeLifeline()
    #expect(try await first.waitForEnd() == 130)
    #expect(first.result == nil && first.errors.contains("continues without this command"), "\(first.errors)")
    try await world.cloud.leave("go")
    let second = try world.start(world.job(2, script: "echo another"))
    let result = try await second.waitForResult()
    #expect(result["name"] as? String == "base-1" && result["output"] as? String == "42\n", "\(result)")
    #expect(world.machines == 1)
    await world.expectNothingLeft()
    await world.cloud.end()
  }

  /// Whoever began the first one is frozen, and does not know that it was given up.
  @Test(arguments: [false, true])
  func `a later try has the job at once, and a signal to the earlier one cancels nothing`(isSignalled: Bool)
    async throws
  {
    let world = try await World()
    let first = try world.start(world.job(1, script: Self.script()))
    try await first.waitUntilSaid(" runs on ")
    let second = try world.start(world.job(2, script: "echo another"))
    try await second.waitUntilSaid("process \(first.pid) drives job base; waiting until it leaves")
    if isSignalled { first.signal(SIGTERM) }
    #expect(try await first.waitForEnd() == 130)
    #expect(first.result == nil && first.errors.contains("a later try continues job"), "\(first.errors)")
    try await second.waitUntilSaid("continuing with job base-1")
    try await world.cloud.leave("go")
    let result = try await second.waitForResult()
    #expect(result["name"] as? String == "base-1" && result["output"] as? String == "42\n", "\(result)")
    second.taken()
    #expect(try await second.waitForEnd() == 0)
    #expect(world.machines == 1)
    let names = try FileManager.default.contentsOfDirectory(atPath: world.project.home + "/jobs")
    #expect(!names.contains { $0.contains("attempt") }, "\(names)")
    await world.expectNothingLeft()
    await world.cloud.end()
  }

  @Test func `a cancel is finished though the leash ends, and its job is nobody's result`() async throws {
    let slow = FaultRule(.request(RequestPattern(method: "compute.instanceGroupManagers.delete"), .delay(seconds: 2)))
    let world = try await World([slow])
    let first = try world.start(world.job(1, script: "sleep 60"))
    try await first.waitUntilSaid(" runs on ")
    first.signal(SIGTERM)
    first.closeLifeline()
    #expect(try await first.waitForEnd() == 130, "\(first.errors)")
    #expect(first.result?["ending"] as? String == "cancelled", "\(first.output)")
    await world.expectNothingLeft()
    let second = try world.start(world.job(2, script: "true"))
    #expect(try await second.waitForResult()["name"] as? String == "base-2")
    await world.cloud.end()
  }

  @Test func `a cancel that was killed is finished by the next try before it begins a job`() async throws {
    let slow = FaultRule(
      .request(RequestPattern(method: "compute.instanceGroupManagers.delete"), .delay(seconds: 2)), times: 1)
    let world = try await World([slow])
    let first = try world.start(world.job(1, script: "sleep 60"))
    try await first.waitUntilSaid(" runs on ")
    first.signal(SIGTERM)
    // It says so at once; what it asks the cloud for is in its journal before.
    #expect(await world.hasAsked("compute.instanceGroupManagers.delete"))
    try await first.killAndWait()
    let second = try world.start(world.job(2, script: "true"))
    let result = try await second.waitForResult()
    #expect(result["name"] as? String == "base-2" && result["exit_status"] as? Int == 0, "\(result) \(second.errors)")
    #expect(world.machines == 2)
    await world.expectNothingLeft()
    await world.cloud.end()
  }

  @Test func `who wants a job cancelled while an earlier try still has it gets it cancelled`() async throws {
    let world = try await World()
    let first = try world.start(world.job(1, script: "sleep 60"))
    try await first.waitUntilSaid(" runs on ")
    let second = try world.start(world.job(2, script: "true"))
    try await second.waitUntilSaid("waiting until it leaves")
    second.signal(SIGTERM)
    second.closeLifeline()
    first.closeLifeline()
    #expect(try await first.waitForEnd() == 130)
    #expect(try await second.waitForEnd() == 130)
    #expect(second.result?["name"] as? String == "base-1" && second.result?["ending"] as? String == "cancelled")
    #expect(world.machines == 1)
    await world.expectNothingLeft()
    await world.cloud.end()
  }

  @Test func `the collector leaves a job to the next try, unless it is being removed`() async throws {
    let slow = FaultRule(
      .request(RequestPattern(method: "compute.instanceGroupManagers.delete"), .delay(seconds: 2)), times: 1)
    let world = try await World([slow])
    let first = try world.start(world.job(1, script: "sleep 60"))
    try await first.waitUntilSaid(" runs on ")
    first.closeLifeline()
    #expect(try await first.waitForEnd() == 130)
    let gc = ["job", "gc", "--project", "demo", "-o", "json"]
    let kept = try SupervisedCommand(world.project, gc, hasLeash: false)
    #expect(
      try await kept.waitForEnd() == 0 && kept.output.contains("whose next try continues with it"),
      "\(kept.output) \(kept.errors)")
    let second = try world.start(world.job(2, script: "true"))
    try await second.waitUntilSaid(" runs on ")
    second.signal(SIGTERM)
    #expect(await world.hasAsked("compute.instanceGroupManagers.delete"))
    try await second.killAndWait()
    let collected = try SupervisedCommand(world.project, gc, hasLeash: false)
    #expect(try await collected.waitForEnd() == 0, "\(collected.output) \(collected.errors)")
    await world.expectNothingLeft()
    await world.cloud.end()
  }

  @Test(arguments: ["pubsub.projects.subscriptions.create", "compute.instanceTemplates.insert"], [false, true])
  func `a command that is killed before it asks for a machine costs none`(method: String, isOtherHome: Bool)
    async throws
  {
    let slow = FaultRule(.request(RequestPattern(method: method), .delay(seconds: 3)), times: 1)
    let world = try await World([slow])
    let first = try world.start(world.job(1, script: "echo first"))
    try #require(await world.hasAsked(method), "\(first.errors)")
    try await first.killAndWait()
    let second = try world.start(world.job(1, home: isOtherHome ? world.other : nil, script: "echo second"))
    let result = try await second.waitForResult()
    #expect(result["exit_status"] as? Int == 0, "\(result) \(second.errors)")
    #expect(world.machines == 1, "\(world.cloud.machines.all.booted) \(second.errors)")
    #expect(world.cloud.machines.all.seconds.isEmpty)
    await world.cloud.end()
  }

  @Test(arguments: [false, true])
  func `a result that was being taken is reported by the next try`(isOtherHome: Bool) async throws {
    let method = "compute.instanceGroupManagers.delete"
    let slow = FaultRule(.request(RequestPattern(method: method), .delay(seconds: 3)), times: 1)
    let world = try await World([slow])
    let first = try world.start(world.job(1, script: "echo 42 > $DAGRUN_OUTPUT"))
    try #require(await world.hasAsked(method), "\(first.errors)")
    try await first.killAndWait()
    let second = try world.start(world.job(2, home: isOtherHome ? world.other : nil, script: "echo another"))
    let result = try await second.waitForResult()
    #expect(
      result["name"] as? String == "base-1" && result["output"] as? String == "42\n", "\(result) \(second.errors)")
    #expect(world.machines == 1)
    await world.expectNothingLeft()
    await world.cloud.end()
  }

  @Test func `what is left of a job that another home has brought to its end goes, and the next one begins`()
    async throws
  {
    let method = "compute.instanceTemplates.delete"
    let slow = FaultRule(.request(RequestPattern(method: method), .delay(seconds: 3)), times: 1)
    let world = try await World([slow])
    let first = try world.start(world.job(1, script: "echo first"))
    try #require(await world.hasAsked(method), "\(first.errors)")
    try await first.killAndWait()
    // Its result is in a journal that is not here.
    let second = try world.start(world.job(1, home: world.other, script: "echo second"))
    let result = try await second.waitForResult()
    #expect(result["name"] as? String == "base-2" && result["exit_status"] as? Int == 0, "\(result) \(second.errors)")
    await world.expectNothingLeft()
    // Where it is, it is reported.
    let third = try world.start(world.job(2, script: "echo third"))
    #expect(try await third.waitForResult()["name"] as? String == "base-1", "\(third.output) \(third.errors)")
    await world.cloud.end()
  }

  @Test func `a home that comes back after another one has ended its job continues with what there is now`()
    async throws
  {
    let world = try await World()
    let first = try world.start(world.job(1, script: Self.script()))
    try await first.waitUntilSaid(" runs on ")
    try await first.killAndWait()
    try await world.cloud.leave("go")
    let second = try world.start(world.job(2, home: world.other, script: "echo another"))
    #expect(try await second.waitForResult()["output"] as? String == "42\n")
    second.taken()
    #expect(try await second.waitForEnd() == 0)
    let third = try world.start(world.job(3, home: world.other, script: Self.script(until: "again")))
    try await third.waitUntilSaid(" runs on ")
    try await third.killAndWait()
    try await world.cloud.leave("again")
    let fourth = try world.start(world.job(4, script: "echo another"))
    let result = try await fourth.waitForResult()
    #expect(
      result["name"] as? String == "base-3" && result["output"] as? String == "42\n", "\(result) \(fourth.errors)")
    #expect(world.machines == 2)
    await world.expectNothingLeft()
    await world.cloud.end()
  }

  // MARK: Handed over

  @Test(arguments: [false, true])
  func `a job that was handed over is brought to its end by a server`(isOtherHome: Bool) async throws {
    let world = try await World()
    let first = try world.start(
      world.job(
        1, "--hand-over",
        script:
          "echo be; printf gun; until \(RecordedCloud.hasWord("go")); do sleep 0.1; done; echo 42 > $DAGRUN_OUTPUT"))
    let handed = try await first.waitForResult()
    #expect(
      handed["handed_over"] as? Bool == true && handed["name"] as? String == "base-1"
        && handed["project"] as? String == "demo" && handed["attempt"] as? Int == 1, "\(handed)")
    #expect(try await first.waitForEnd() == 0)
    let server = try world.serve(home: isOtherHome ? world.other : nil)
    server.order(#"{"attach": "base-1", "project": "demo"}"#)
    _ = try await server.event("began")
    try await world.cloud.leave("go")
    let ended = try await server.event("ended", ofJob: "base-1")
    #expect(ended["exit_code"] as? Int == 0)
    let result = try #require(ended["result"] as? [String: Any])
    #expect(result["output"] as? String == "42\n" && result["attempt"] as? Int == 1, "\(result)")
    let log = server.events.filter { $0["event"] as? String == "log" }.compactMap { $0["text"] as? String }
    #expect(log.joined() == "be\ngun\n", "\(log)")
    #expect(log.allSatisfy { $0.hasSuffix("\n") })
    #expect(server.events.contains { $0["event"] as? String == "began" && $0["zone"] as? String == "europe-west1-b" })
    server.order(#"{"taken": "base-1"}"#)
    server.closeInput()
    #expect(try await server.waitForEnd() == 0)
    #expect(world.machines == 1)
    await world.expectNothingLeft()
    let next = try world.start(world.job(2, home: isOtherHome ? world.other : nil, script: "true"))
    #expect(try await next.waitForResult()["name"] as? String == "base-2")
    await world.cloud.end()
  }

  @Test func `the end of a server leaves its jobs, which the next one continues with`() async throws {
    let world = try await World()
    let first = try world.start(world.job(1, "--hand-over", script: Self.script()))
    #expect(try await first.waitForResult()["handed_over"] as? Bool == true)
    #expect(try await first.waitForEnd() == 0)
    let server = try world.serve()
    server.order(#"{"attach": "base-1"}"#)
    _ = try await server.event("began")
    let another = try world.serve()
    another.order(#"{"attach": "base-1"}"#)
    server.closeInput()
    #expect(try await server.waitForEnd() == 0)
    try await world.cloud.leave("go")
    let result = try await another.event("ended")["result"] as? [String: Any]
    #expect(result?["output"] as? String == "42\n", "\(another.output)")
    // Nobody took it: the next try has it.
    let second = try world.start(world.job(2, "--hand-over", script: "true"))
    #expect(try await second.waitForResult()["output"] as? String == "42\n")
    #expect(world.machines == 1)
    await world.expectNothingLeft()
    await world.cloud.end()
  }

  @Test func `a server cancels a job, drops another, and says what it cannot do`() async throws {
    let world = try await World()
    let first = try world.start(world.job(1, "--hand-over", script: "sleep 60"))
    #expect(try await first.waitForResult()["handed_over"] as? Bool == true)
    #expect(try await first.waitForEnd() == 0)
    let server = try world.serve()
    server.order("what?")
    #expect(try await (server.event("refused")["message"] as? String)?.contains("not JSON: what?") == true)
    server.order(#"{"attach": "no-such-job", "project": "demo"}"#)
    let failed = try await server.event("failed", ofJob: "no-such-job")
    #expect(failed["exit_code"] as? Int == 3 && failed["message"] is String, "\(failed)")
    server.order(#"{"attach": "base-1"}"#)
    _ = try await server.event("began")
    server.order(#"{"leave": "base-1"}"#)
    _ = try await server.event("left", ofJob: "base-1")
    let other = try world.serve()
    other.order(#"{"attach": "base-1"}"#)
    _ = try await other.event("began")
    other.order(#"{"cancel": "base-1"}"#)
    // Finished though nobody waits for it.
    other.closeInput()
    #expect(try await other.waitForEnd() == 0)
    await world.expectNothingLeft()
    server.order(#"{"attach": "base-1"}"#)
    let ended = try await server.event("ended", ofJob: "base-1")
    #expect(ended["exit_code"] as? Int == 248, "\(ended)")
    server.signal(SIGTERM)
    #expect(try await server.waitForEnd() == 0)
    await world.cloud.end()
  }

  // MARK: Wrong use

  @Test(
    arguments: [
      (["--name", "base", "--attempt", "0"], "counted from 1"), (["--attempt", "1"], "say --name too"),
      (["--name", String(repeating: "a", count: 47), "--attempt", "1"], "at most 46"),
      (["--name", "base", "--attempt", "1", "--leash", "77"], "--leash 77: no such descriptor is open"),
      (["--name", "base", "--attempt", "1", "--leash", "1"], "--leash 1 is not the read end of a pipe"),
      (["--name", "base", "--attempt", "1", "--detach"], "say --hand-over"),
    ])
  func `what cannot be an attempt is said at once`(options: [String], words: String) throws {
    let project = try Project()
    let ended = try project.run(["job", "run", "--project", "demo", "--image", "debian"] + options + ["--", "true"])
    #expect(ended.code == 2 && ended.errors.contains(words), "\(ended.errors)")
    #expect(!FileManager.default.fileExists(atPath: project.home))
  }
}
