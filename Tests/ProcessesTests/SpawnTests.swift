import Glibc
import Processes
import Testing

@Suite struct SpawnTests {
  @Test func `output and errors are captured apart`() throws {
    let ended = try Spawn("/bin/sh", ["-c", "echo out; echo err >&2; exit 3"]).run(timeout: 30)
    #expect(ended.status == .exited(3))
    #expect(ended.text(1) == "out\n")
    #expect(ended.text(2) == "err\n")
    #expect(!ended.hasTimedOut)
    #expect(!ended.isTruncated)
  }

  @Test func `a private descriptor is captured apart from what is printed`() throws {
    let ended = try Spawn("/bin/sh", ["-c", "echo noise; echo result >&7"]).run(capturing: [1, 2, 7], timeout: 30)
    #expect(ended.text(7) == "result\n")
    #expect(ended.text(1) == "noise\n")
  }

  @Test func `more than a pipe holds is captured whole`() throws {
    let ended = try Spawn("/bin/sh", ["-c", "head -c 3000000 /dev/zero"]).run(timeout: 30)
    #expect(ended.captured[1]?.count == 3_000_000)
  }

  @Test func `output beyond the limit is thrown away`() throws {
    let ended = try Spawn("/bin/sh", ["-c", "head -c 300000 /dev/zero"]).run(timeout: 30, limitBytes: 1000)
    #expect(ended.captured[1]?.count == 1000)
    #expect(ended.isTruncated)
    #expect(ended.status.isSuccess)
  }

  @Test func `a process that takes too long is killed with its children`() throws {
    let ended = try Spawn("/bin/sh", ["-c", "sleep 1000 & echo $!; wait"]).run(timeout: 0.2)
    #expect(ended.hasTimedOut)
    #expect(ended.status == .signaled(SIGKILL))
    let child = try #require(pid_t(ended.text(1).dropLast()))
    #expect(ProcessDescriptor.end(of: child))
  }

  @Test func `a child left in the background does not hold up the end, and is killed`() throws {
    let started = monotonicSeconds()
    let ended = try Spawn("/bin/sh", ["-c", "sleep 1000 & echo $!"]).run(timeout: 100)
    #expect(monotonicSeconds() - started < 50)
    #expect(ended.status.isSuccess)
    let child = try #require(pid_t(ended.text(1).dropLast()))
    #expect(ProcessDescriptor.end(of: child))
  }

  @Test func `environment and working directory are as given`() throws {
    let spawn = Spawn("/bin/sh", ["-c", "echo $FRUIT; pwd"], environment: ["FRUIT": "pear"], workingDirectory: "/usr")
    #expect(try spawn.run(timeout: 30).text(1) == "pear\n/usr\n")
  }

  @Test func `a child has no descriptors besides those it was given`() throws {
    let leaky = dup(0)
    defer { close(leaky) }
    let ended = try Spawn("/bin/ls", ["/proc/self/fd"]).run(capturing: [1, 2, 5], timeout: 30)
    // 3 is the folder that ls reads.
    #expect(ended.text(1) == "0\n1\n2\n3\n5\n")
  }

  @Test func `descriptors may be exchanged`() throws {
    var spawn = Spawn("/bin/sh", ["-c", "read a <&8; read b <&9; echo $a $b"])
    let (first, second) = (try pipe(holding: "first\n"), try pipe(holding: "second\n"))
    defer { for end in [first, second] { close(end) } }
    // Whatever numbers the pipes got, also each other's.
    spawn.descriptors = [8: second, 9: first, first > 9 ? first : 30: second, second > 9 ? second : 31: first]
    #expect(try spawn.run(timeout: 30).text(1) == "second first\n")
  }

  @Test func `a child leads its own session`() throws {
    var spawn = Spawn("/bin/sh", ["-c", "echo $$; cut -d' ' -f1,5,6 /proc/$$/stat"])
    spawn.group = .session
    let lines = try spawn.run(timeout: 30).text(1).split(separator: "\n")
    let pid = try #require(lines.first)
    #expect(lines.last == "\(pid) \(pid) \(pid)")
  }

  @Test func `a signal's number and name are told`() throws {
    let ended = try Spawn("/bin/sh", ["-c", "kill -SEGV $$"]).run(timeout: 30)
    #expect(ended.status == .signaled(SIGSEGV))
    #expect("\(ended.status)" == "signal 11 (SIGSEGV)")
  }

  @Test func `a missing program is an error that names it`() {
    #expect(throws: SystemError("start /no/such/program", code: ENOENT)) {
      try Spawn("/no/such/program").run(timeout: 30)
    }
    #expect(throws: SystemError("start /bin/true in /no/such/folder", code: ENOENT)) {
      try Spawn("/bin/true", workingDirectory: "/no/such/folder").run(timeout: 30)
    }
  }

  @Test func `many threads start processes at once, and none holds the pipes of another`() async throws {
    try await withThrowingTaskGroup { group in
      for number in 0..<64 {
        group.addTask { try Spawn("/bin/sh", ["-c", "echo \(number); exit \(number)"]).run(timeout: 60) }
      }
      var seen: Set<String> = []
      for try await ended in group {
        guard case .exited(let code) = ended.status else { continue }
        #expect(ended.text(1) == "\(code)\n")
        seen.insert(ended.text(1))
      }
      #expect(seen.count == 64)
    }
  }

  @Test func `usage is measured`() throws {
    let ended = try Spawn("/bin/sh", ["-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"]).run(timeout: 60)
    #expect(ended.usage.cpuSeconds > 0.005)
    #expect(ended.usage.peakMemoryBytes > 100_000)
  }
}

/// The read end of a pipe with a text in it.
private func pipe(holding text: String) throws -> Int32 {
  var ends: [Int32] = [-1, -1]
  try #require(Glibc.pipe(&ends) == 0)
  _ = text.withCString { write(ends[1], $0, strlen($0)) }
  close(ends[1])
  return ends[0]
}

extension ProcessDescriptor {
  /// Waits until the process has ended; true also when it is long gone.
  static func end(of pid: pid_t) -> Bool {
    guard let process = try? ProcessDescriptor(pid: pid) else { return true }
    return process.hasEnded(within: 20_000)
  }
}
