import BenchmarkSupport
import Foundation
import GRDB

/// What a scheduler is while so many jobs of its tasks run elsewhere. The VMs do nothing: what they would say is
/// published from here.
func measureWaitingJobs(binary: String) async throws {
  for count in [1, 100, 1_000] {
    let emulator = try Emulator(binary, runsMachines: false)
    defer { emulator.stop() }
    let cloud = Cloud(emulator)
    let project = try jobsProject(binary, "waiting", count, emulator)
    defer { project.remove() }
    let scheduler = try project.start(["scheduler"])
    defer {
      scheduler.terminate()
      scheduler.wait()
    }
    try project.waitForSocket()
    let idle = ProcessFigures(of: scheduler.pid)
    let before = try await cloud.requests()

    let began = monotonicSeconds()
    try project.run(["trigger", "jobs", "--no-wait"])
    try await cloud.wait(seconds: 300, for: "\(count) VMs") { inventory in
      let instances = inventory["instances"] as? [[String: Any]] ?? []
      return instances.count == count && instances.allSatisfy { $0["status"] as? String == "RUNNING" }
    }
    let jobs = try await cloud.jobs()
    try await cloud.publish("started", ["startedAt": Date().timeIntervalSince1970], ofAll: jobs)
    try project.waitForTasks(count, in: "running")
    let running = monotonicSeconds() - began
    let busy = ProcessFigures(of: scheduler.pid)
    // Jobs wait for hours; what they took to begin is given back within seconds.
    try await Task.sleep(for: .seconds(8))
    let waiting = ProcessFigures(of: scheduler.pid)

    let ended = monotonicSeconds()
    let now = Date().timeIntervalSince1970
    try await cloud.publish(
      "result", ["status": 0, "startedAt": now, "endedAt": now, "logBytes": 0, "logTail": ""], ofAll: jobs)
    try project.waitForTasks(count, in: "success")
    let ending = monotonicSeconds() - ended
    try await cloud.checkEmpty()
    let after = ProcessFigures(of: scheduler.pid)
    let requests = Double(requestCount(try await cloud.requests(), since: before)) / Double(count)

    let what = count == 1 ? "a job waits" : "\(count) jobs wait"
    Figure("scheduler while \(what), resident", waiting.residentMegabytes, "MB")
      .target("under 100 MB", waiting.residentMegabytes < 100)
      .with([
        "idle": idle.residentMegabytes, "proportional": waiting.proportionalMegabytes,
        "peak": waiting.peakResidentMegabytes, "at_the_end_of_beginning": busy.residentMegabytes,
        "kilobytes_a_job": (waiting.residentMegabytes - idle.residentMegabytes) * 1024 / Double(count),
      ]).report()
    Figure("scheduler while \(what), threads", Double(waiting.threads), "threads")
      .target("under 20", max(busy.threads, waiting.threads) < 20)
      .with(["while_beginning": Double(busy.threads), "open_files": Double(waiting.openFiles)]).report()
    Figure("\(what): from the trigger until all run", running, "s")
      .with(["scheduler_cpu_seconds": busy.cpuSeconds - idle.cpuSeconds]).report()
    Figure("\(what): from the results until all has been removed", ending, "s")
      .with(["scheduler_cpu_seconds": after.cpuSeconds - waiting.cpuSeconds]).report()
    Figure("\(what): requests a job besides waiting polls", requests, "requests")
      .target("at most 12", requests <= 12).report()
  }
}

/// So many jobs at once whose VMs run what they are given, on this machine.
func measureJobsWithMachines(binary: String) async throws {
  for count in [1, 100] {
    let emulator = try Emulator(binary, runsMachines: true)
    defer { emulator.stop() }
    let project = try jobsProject(binary, "machines", count, emulator)
    defer { project.remove() }
    let scheduler = try project.start(["scheduler"])
    defer {
      scheduler.terminate()
      scheduler.wait()
    }
    try project.waitForSocket()
    let idle = ProcessFigures(of: scheduler.pid)
    let began = monotonicSeconds()
    try project.run(["trigger", "jobs"])
    let seconds = monotonicSeconds() - began
    try await Cloud(emulator).checkEmpty()
    let figures = ProcessFigures(of: scheduler.pid)
    // Most of it is VMs, on the cores of this machine.
    Figure("\(count) \(count == 1 ? "job" : "jobs") at once with real VMs, whole command", seconds, "s")
      .with([
        "scheduler_cpu_seconds": figures.cpuSeconds - idle.cpuSeconds,
        "scheduler_peak_megabytes": figures.peakResidentMegabytes,
      ]).report()
  }
}

private func jobsProject(_ binary: String, _ name: String, _ count: Int, _ emulator: Emulator) throws
  -> BenchmarkProject
{
  let project = try BenchmarkProject(binary: binary, name: name, variables: emulator.variables)
  try project.write("jobs.swift", jobsDAG(count, command: "true"))
  try project.run(["dags", "list"])
  try project.run(["pools", "set", "default_pool", "unlimited"])
  return project
}

extension BenchmarkProject {
  fileprivate func waitForTasks(_ count: Int, in state: String) throws {
    let _: Bool = try wait(seconds: 300) { database in
      let found = try Int.fetchOne(
        database, sql: "SELECT count(*) FROM task_instance WHERE state = ?", arguments: [state])
      return found == count ? true : nil
    }
  }
}
