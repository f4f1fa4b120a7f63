import Glibc
import Processes
import Testing

@Suite struct ProcessIdentityTests {
  @Test func `a process is known again by pid and start time`() {
    #expect(ProcessIdentity.current.isAlive)
    let impostor = ProcessIdentity(pid: getpid(), startTime: ProcessIdentity.current.startTime + 1)
    #expect(!impostor.isAlive)
    #expect(ProcessDescriptor(impostor) == nil)
    #expect(bootID.count == 36)
  }

  @Test func `a process that waits to be reaped is not alive`() throws {
    let pid = try Spawn("/bin/true").start()
    let process = try ProcessDescriptor(pid: pid)
    #expect(process.hasEnded(within: -1))
    #expect(ProcessIdentity(of: pid) == nil)
    #expect(waitForChild(pid)?.status == .exited(0))
    #expect(waitForChild(pid) == nil)
  }

  @Test func `a process whose name looks like the fields behind it is read right`() throws {
    var spawn = Spawn("/bin/sh", ["-c", "printf ') Z 1 1 (' > /proc/$$/comm; echo ready; read x"])
    var ends: [Int32] = [-1, -1]
    #expect(Glibc.pipe(&ends) == 0)
    var outputs: [Int32] = [-1, -1]
    #expect(Glibc.pipe(&outputs) == 0)
    spawn.descriptors = [0: ends[0], 1: outputs[1]]
    let pid = try spawn.start()
    var byte: UInt8 = 0
    _ = read(outputs[0], &byte, 1)
    #expect(ProcessIdentity(of: pid) != nil)
    for end in ends + outputs { close(end) }
    _ = waitForChild(pid)
  }

  @Test func `a signal reaches the process behind the descriptor`() throws {
    let pid = try Spawn("/bin/sleep", ["1000"]).start()
    let process = try ProcessDescriptor(pid: pid)
    #expect(!process.hasEnded())
    process.signal(SIGTERM)
    #expect(process.hasEnded(within: 20_000))
    #expect(waitForChild(pid)?.status == .signaled(SIGTERM))
    process.signal(SIGTERM)
  }

  @Test func `descendants are found at every depth`() throws {
    let script = "sh -c 'sleep 1000 & echo $!; wait' & echo $!; wait"
    var spawn = Spawn("/bin/sh", ["-c", script])
    var outputs: [Int32] = [-1, -1]
    #expect(Glibc.pipe(&outputs) == 0)
    spawn.descriptors = [1: outputs[1]]
    spawn.group = .own
    let pid = try spawn.start()
    close(outputs[1])
    var printed: [UInt8] = []
    while printed.count(where: { $0 == 10 }) < 2 {
      var byte: UInt8 = 0
      try #require(read(outputs[0], &byte, 1) == 1)
      printed.append(byte)
    }
    close(outputs[0])
    let expected = String(decoding: printed, as: UTF8.self).split(separator: "\n").compactMap { pid_t($0) }
    #expect(Set(expected).isSubset(of: descendants(of: pid)))
    #expect(signalGroup(pid, SIGKILL))
    _ = waitForChild(pid)
  }
}
