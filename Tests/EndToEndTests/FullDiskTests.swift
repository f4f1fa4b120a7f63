import Foundation
import Glibc
import Processes
import Testing
import WaitSupport

/// A limit on the size of files stands for a full disk: the database cannot be written for a while.
@Suite(.blocking, .serialized) struct `A full disk` {
  @Test func `starts nothing, refuses requests, and is forgotten when there is room again`() throws {
    let project = try BinaryProject()
    defer { project.remove() }
    try project.write(
      "dags/small.swift",
      """
      import Dagrun

      DAG("small") { BashOperator("note", "echo $DAGRUN_RUN_ID >> ../ran") }
      """)
    try #require(try project.run(["trigger", "small", "-r", "before"], timeout: 120).status == .exited(0))

    var spawn = project.spawn(["scheduler"])
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    spawn.descriptors = [0: null, 1: null, 2: null]
    let pid = try spawn.start()
    let scheduler = try ProcessDescriptor(pid: pid)
    defer {
      scheduler.signal(SIGTERM)
      _ = waitForChild(pid)
    }
    let isThere = wait(forChangesIn: project.folder + "/.dagrun") {
      access(project.folder + "/.dagrun/scheduler.sock", F_OK) == 0
    }
    try #require(isThere && !scheduler.hasEnded())

    try limitFileSize(of: pid, bytes: 1000)
    let refused = try project.run(["trigger", "small", "-r", "full"])
    #expect(refused.status == .exited(5))
    #expect(refused.text(2).contains("cannot write to the database"))

    try limitFileSize(of: pid, bytes: nil)
    // The scheduler tries again by itself; until then it keeps refusing.
    while try project.run(["trigger", "small", "-r", "after"]).status == .exited(5) {}
    #expect(try project.runState("small", "after") == "success")
    #expect(try project.runState("small", "full") == nil)
    #expect(try String(contentsOfFile: project.folder + "/ran", encoding: .utf8) == "before\nafter\n")
  }

  private func limitFileSize(of pid: pid_t, bytes: Int?) throws {
    let soft = bytes.map { "\($0)" } ?? "unlimited"
    let ended = try Spawn("prlimit", ["--pid", "\(pid)", "--fsize=\(soft):unlimited"]).run(timeout: 20)
    try #require(ended.status.isSuccess, "\(ended.text(2))")
  }
}
