import Foundation
import Testing

@Suite(.blocking) struct `A machine that has no room for a worker` {
  @Test func `lets tasks wait, and fails none`() throws {
    // The first try takes the scheduler's descriptors away, and kills all workers.
    let project = try Project([
      "crowded": """
      import Dagrun

      DAG("crowded", defaults: .init(retries: 1, retryDelay: .milliseconds(1))) {
        BashOperator(
          "shell",
          \"""
          [ $DAGRUN_TRY_NUMBER = 1 ] || exit 0
          scheduler=$(awk '{ print $4 }' /proc/$PPID/stat)
          prlimit --pid $scheduler --nofile=5:
          kill -KILL $(cat /proc/$scheduler/task/*/children)
          sleep 1000
          \""")
      }
      """
    ])
    let scheduler = try project.start("scheduler")
    #expect(scheduler.wait { _ in FileManager.default.fileExists(atPath: project.home + "/scheduler.sock") })
    #expect(try project.run("trigger", "crowded", "-r", "r", "--no-wait").code == 0)
    #expect(scheduler.wait { $0.contains("cannot start a worker process for now; tasks wait") }, "\(scheduler.text)")
    #expect(try project.run(program: "prlimit", "--pid", "\(scheduler.pid)", "--nofile=1000:").code == 0)
    #expect(try project.run("trigger", "crowded", "-r", "r").code == 0)
    #expect(try project.taskStates("crowded", "r").map(\.tryNumber) == [2])
    scheduler.signal(SIGTERM)
    #expect(try scheduler.waitForEnd() == 0)
  }
}
