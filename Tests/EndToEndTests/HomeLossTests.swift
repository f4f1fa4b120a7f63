import Foundation
import Testing

/// A home that is removed or replaced while a scheduler has it.
@Suite(.blocking) struct `A home that disappears` {
  private static let dag = """
    import Dagrun

    DAG("often", schedule: .cron("0 0 1 1 *"), startDate: "2026-01-01") { BashOperator("x", "echo") }
    """

  @Test(arguments: [
    "until rm -rf .dagrun; do :; done", "mv .dagrun elsewhere", "rm .dagrun/scheduler.lock", "rm .dagrun/dagrun.db",
    "cp .dagrun/dagrun.db copy && mv copy .dagrun/dagrun.db",
    "mv .dagrun elsewhere && cp -r elsewhere .dagrun || test -d .dagrun",
  ])
  func `ends its scheduler, which says so`(fate: String) throws {
    let project = try Project(["often": Self.dag])
    let scheduler = try project.start("scheduler")
    #expect(scheduler.wait { _ in FileManager.default.fileExists(atPath: project.home + "/scheduler.sock") })
    #expect(try project.run(program: "sh", "-c", fate).code == 0)
    #expect(try scheduler.waitForEnd() == 5, "\(scheduler.text)")
    #expect(scheduler.text.contains("error: the home \(project.home) was removed or replaced"), "\(scheduler.text)")
    // And the next one has nothing to wait for.
    #expect(try project.run("trigger", "often").code == 0)
  }

  @Test func `ends a command that is its scheduler`() throws {
    let project = try Project(["slow": SampleDAG.slow])
    let trigger = try project.start("trigger", "slow")
    #expect(trigger.wait { $0.contains("sleeps running") }, "\(trigger.text)")
    #expect(try project.run(program: "sh", "-c", "until rm -rf \"$0\"; do :; done", project.home).code == 0)
    #expect(try trigger.waitForEnd() == 5, "\(trigger.text)")
    #expect(trigger.text.contains("was removed or replaced"))
  }
}
