import Foundation
import Testing

/// A scheduler that cannot write its database any more in the middle of a run. A limit on the size of its files stands
/// for the disk; it can be lifted when the test wants.
@Suite(.blocking, .serialized) struct `A disk that fills during a run` {
  @Test func `loses nothing, and the run continues when there is space again`() throws {
    let project = try fullProject()
    let scheduler = try scheduler(of: project)
    #expect(try project.run("trigger", "fill", "-r", "r", "-c", #"{"size": 100000}"#, "--no-wait").code == 0)
    #expect(scheduler.wait { $0.contains("the database cannot be written") }, "\(scheduler.text)")
    let refused = try project.run("pools", "set", "gpu", "4", "cards")
    #expect(refused.code == 5)

    try project.liftLimit(of: scheduler)
    #expect(scheduler.wait { $0.contains("the database can be written again") }, "\(scheduler.text)")
    #expect(try project.run("trigger", "fill", "-r", "r", "-c", #"{"size": 100000}"#).code == 0)
    scheduler.signal(SIGTERM)
    #expect(try scheduler.waitForEnd() == 0)
    try expectEachOnce(project)
  }

  @Test func `costs no result when the scheduler is stopped meanwhile`() throws {
    let project = try fullProject()
    let scheduler = try scheduler(of: project)
    #expect(try project.run("trigger", "fill", "-r", "r", "-c", #"{"size": 100000}"#, "--no-wait").code == 0)
    #expect(scheduler.wait { $0.contains("the database cannot be written") }, "\(scheduler.text)")
    scheduler.signal(SIGTERM)
    #expect(try scheduler.waitForEnd() == 0)

    #expect(try project.run("scheduler", "--until-idle").code == 0)
    try expectEachOnce(project)
  }

  @Test func `costs no result when the scheduler is killed meanwhile`() throws {
    let project = try fullProject()
    let scheduler = try scheduler(of: project)
    #expect(try project.run("trigger", "fill", "-r", "r", "-c", #"{"size": 100000}"#, "--no-wait").code == 0)
    #expect(scheduler.wait { $0.contains("the database cannot be written") }, "\(scheduler.text)")
    scheduler.signal(SIGKILL)
    #expect(try scheduler.waitForEnd() == 137)

    #expect(try project.run("scheduler", "--until-idle").code == 0)
    try expectEachOnce(project)
  }

  private static let tasks = (0..<8).map { "task_\($0)" }

  /// Compiled already: the compiler needs space too.
  private func fullProject() throws -> Project {
    let project = try Project()
    try project.write(
      "fill",
      """
      import Dagrun
      import Foundation

      DAG("fill", params: [.int("size", default: 1)]) {
        let tasks = (0..<8).map { number in
          SwiftOperator("task_\\(number)") { context in
            let descriptor = open("\(project.path)/records", O_WRONLY | O_APPEND | O_CREAT, 0o644)
            defer { close(descriptor) }
            let line = "\\(context.runID) \\(context.taskID) \\(context.tryNumber)\\n"
            guard write(descriptor, line, line.utf8.count) == line.utf8.count else { throw CocoaError(.fileWriteUnknown) }
            return String(repeating: "x", count: try context.params.int("size"))
          }
        }
      }
      """)
    #expect(try project.run("trigger", "fill", "-r", "compiled").code == 0)
    return project
  }

  private func scheduler(of project: Project) throws -> Started {
    let scheduler = try project.start(limitingFilesTo: 400_000, "scheduler")
    #expect(scheduler.wait { _ in FileManager.default.fileExists(atPath: project.home + "/scheduler.sock") })
    return scheduler
  }

  private func expectEachOnce(_ project: Project) throws {
    let lines = try String(contentsOfFile: project.path + "/records", encoding: .utf8).split(separator: "\n")
    let ofRun = lines.filter { $0.hasPrefix("r ") }.map(String.init)
    #expect(ofRun.sorted() == Self.tasks.map { "r \($0) 1" })
    let states = try project.run("tasks", "states-for-dag-run", "fill", "r", "-o", "plain").output
    #expect(states.split(separator: "\n").count == Self.tasks.count)
    #expect(states.split(separator: "\n").allSatisfy { $0.contains("\tsuccess\t") }, "\(states)")
    #expect(project.waitForNoSurvivors())
  }
}
