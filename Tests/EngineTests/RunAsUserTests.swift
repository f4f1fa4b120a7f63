import Control
import Dagrun
import Foundation
import Glibc
import Model
import Processes
import Scheduling
import Storage
import Testing

@testable import Engine

/// Tasks under another account than the scheduler's. `nobody` is one that every system has.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root can give a task another account"))
struct RunAsUserTests {
  private static let dag = """
    import Dagrun
    import Foundation

    DAG("accounts", defaults: .init(runAsUser: "nobody"), maxActiveTasks: 1) {
      let shell = BashOperator(
        "shell",
        \"""
        id -un; echo $USER $LOGNAME; stat -c %U "$(dirname $DAGRUN_OUTPUT)"
        cat $DAGRUN_WORKER/journal
        head -c 1 /proc/$PPID/environ > /dev/null 2>&1 && echo "reads its worker"
        echo "of worker $PPID"
        (setsid sleep 1000 &)
        echo 42 > $DAGRUN_OUTPUT
        \""")
      let swift = SwiftOperator("swift", shell.output(as: Int.self)) { context, number in
        print("user", getuid(), geteuid(), ProcessInfo.processInfo.environment["USER"] ?? "")
        return number + 1
      }
      let own = BashOperator("own", "id -un; echo \\(swift.output)").runAsUser("root")
      BashOperator("unknown", "id", retries: 3).runAsUser("no-such-user-here")
      SwiftOperator("crashes") { context -> Int in
        print("before")
        let numbers = [1, 2, 3]
        return numbers[context.tryNumber + 5]
      }
      BashOperator("stuck", "trap '' TERM; echo begun; while :; do sleep 1000; done")
        .executionTimeout(.milliseconds(300))
      let before = BashOperator("before", "echo $PPID").runAsUser("root")
      before --> shell
      shell --> swift --> own
    }
    """

  @Test func `shell and Swift tasks run under the account that they name, and leave nothing`() async throws {
    let harness = try EngineHarness(["accounts.swift": Self.dag])
    // Another account has to come to the folder of DAG files, where tasks start.
    try #require(chmod(harness.folder, 0o711) == 0 && chmod(harness.folder + "/dags", 0o755) == 0)
    let before = try folders()
    let engine = try await harness.start(graceSeconds: 1)
    let control = EngineControl(engine)
    let run = try await harness.trigger("accounts", control)
    let last = try await control.end(of: run.number)
    await engine.stop()
    let ran = try harness.ran(last)

    #expect(
      ran.states == [
        "before": .success, "shell": .success, "swift": .success, "own": .success, "unknown": .failed,
        "crashes": .failed,
        "stuck": .failed,
      ])
    let shell = ran.logs["shell"] ?? ""
    #expect(shell.hasPrefix("nobody\nnobody nobody\nnobody\n"), "\(shell)")
    #expect(shell.contains("Permission denied") && shell.contains("not all that it started"), "\(shell)")
    // It cannot look into its worker, nor is that one that has had another task.
    #expect(!shell.contains("reads its worker"))
    #expect(!shell.contains("of worker \((ran.logs["before"] ?? "").dropLast())\n"), "\(shell)")
    #expect(ran.outputs["shell"] == "\"42\"")
    let id = try #require(try Account(named: "nobody")).userID
    #expect(ran.logs["swift"] == "user \(id) \(id) nobody\n")
    #expect(ran.logs["own"] == "root\n43\n")
    #expect(
      ran.tasks["unknown"]?.reason == "there is no user no-such-user-here on this machine (runAsUser)"
        && ran.tasks["unknown"]?.instance.tryNumber == 1)
    #expect(ran.logs["crashes"]?.hasPrefix("before\n") == true, "\(ran.logs["crashes"] ?? "")")
    #expect(ran.tasks["crashes"]?.signal == Int(SIGILL))
    #expect(ran.logs["stuck"]?.hasPrefix("begun\n") == true && ran.tasks["stuck"]?.signal == Int(SIGKILL))
    #expect(try folders() == before)
  }

  @Test func `a folder that the account may not enter is named`() async throws {
    let harness = try EngineHarness([
      "closed.swift": """
      import Dagrun

      DAG("closed", defaults: .init(runAsUser: "nobody")) {
        BashOperator("shell", "true")
        SwiftOperator("swift") { _ in 1 }
      }
      """
    ])
    try #require(chmod(harness.folder, 0o700) == 0)
    let ran = try await harness.run("closed")
    for task in ["shell", "swift"] {
      let reason = ran.tasks[task]?.reason ?? ""
      #expect(reason.contains(harness.folder + "/dags: Permission denied"), "\(task): \(reason)")
    }
  }

  private func folders() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/tmp").filter { $0.hasPrefix("dagrun-task-") }
  }
}
