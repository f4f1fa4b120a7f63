import BenchmarkSupport
import Foundation
import Processes

/// What one job takes besides its VM and its command, and how many requests it makes.
func measureOverhead(binary: String) async throws {
  let emulator = try Emulator(binary, runsMachines: true)
  defer { emulator.stop() }
  let cloud = Cloud(emulator)
  let project = try BenchmarkProject(binary: binary, name: "job", variables: emulator.variables)
  defer { project.remove() }

  func arguments(_ name: String) -> [String] {
    ["job", "run", "--name", name, "--project", Cloud.project, "--image", "debian", "--zone", Cloud.zone, "--", "true"]
  }
  // The first one is also the warm-up.
  let first = try project.start(arguments("captured"))
  let replay = try await Replay(of: "captured", in: cloud)
  guard first.wait().isSuccess else { throw BenchmarkFailure("the first job did not succeed") }
  try await cloud.checkEmpty()
  _ = try await replay.run(in: cloud)

  var commands: [Double] = []
  var bounds: [Double] = []
  var requests: [Int] = []
  for number in 0..<10 {
    bounds.append(try await replay.run(in: cloud))
    let before = try await cloud.requests()
    commands.append(try project.run(arguments("job-\(number)")))
    requests.append(requestCount(try await cloud.requests(), since: before))
  }
  try await cloud.checkEmpty()
  let start = try (0..<10).map { _ in try project.run(["version"]) }.median
  let beyond = zip(commands, bounds).map { ($0 - $1) * 1000 }
  Figure("a job that runs `true`, whole command, median", commands.median, "s")
    .against(bounds.median, "its requests made directly, one after the other, s").report()
  Figure("of that dagrun's own, median", beyond.median, "ms").against(start * 1000, "`dagrun version`, ms")
    .with(["worst": beyond.percentile(100), "best": beyond.percentile(0)]).report()
  Figure("requests of a job besides waiting polls", Double(requests.max() ?? 0), "requests")
    .target("at most 12", requests.allSatisfy { $0 <= 12 }).report()

  try project.write("jobs.swift", jobsDAG(1, command: "true"))
  try project.run(["dags", "list"])
  var tasks: [Double] = []
  var taskBounds: [Double] = []
  for _ in 0..<10 {
    taskBounds.append(try await replay.run(in: cloud))
    try project.run(["trigger", "jobs"])
    tasks.append(try project.runSeconds())
  }
  try await cloud.checkEmpty()
  Figure("the same as the only task of a DAG, its run, median", tasks.median, "s")
    .against(taskBounds.median, "its requests made directly, one after the other, s")
    .with(["beyond_milliseconds": zip(tasks, taskBounds).map { ($0 - $1) * 1000 }.median]).report()
}

/// Tasks that are jobs and wait for nothing.
func jobsDAG(_ count: Int, command: String) -> String {
  """
  import Dagrun

  let machine = JobConfig(project: "\(Cloud.project)", image: "debian").zones("\(Cloud.zone)")
  DAG("jobs", maxActiveTasks: 10_000) {
    for number in 0..<\(count) { ComputeEngineJobOperator("job_\\(number)", job: machine, command: "\(command)") }
  }
  """
}

/// Those that do not only wait, in the words of Google's methods. The VM's own are among them where VMs run:
/// publishing, and the removal of its group.
func requestCount(_ now: [String: Int], since before: [String: Int]) -> Int {
  let polls = [".wait", ".listManagedInstances", ".pull"]
  let byMachine = [".publish"]
  return now.reduce(0) { sum, entry in
    (polls + byMachine).contains { entry.key.hasSuffix($0) } ? sum : sum + entry.value - (before[entry.key] ?? 0)
  }
}
