internal import CLinux
internal import Glibc

/// A process that ran to its end, and what it wrote.
package struct CapturedProcess: Sendable {
  package var status: ExitStatus
  package var usage: ResourceUsage
  /// Number of the descriptor in the child -> what was written to it, cut after the limit.
  package var captured: [Int32: [UInt8]]
  /// The process and its group were killed because the time was up.
  package var hasTimedOut: Bool
  /// Something wrote more than the limit; the rest was thrown away.
  package var isTruncated: Bool

  package func text(_ descriptor: Int32) -> String { String(decoding: captured[descriptor] ?? [], as: UTF8.self) }
}

extension Spawn {
  /// Runs the process in a process group of its own until it ends or the time is up, and reads what it writes to
  /// `descriptors`, each a private pipe. Whatever the process leaves running in its group is killed.
  ///
  /// Blocks the calling thread; may be called from many threads at once.
  ///
  /// - Parameter seconds: after so long the group is killed.
  package func run(
    capturing captures: [Int32] = [1, 2], timeout seconds: Double, limitBytes: Int = 16 << 20
  ) throws(SystemError) -> CapturedProcess {
    var spawn = self
    if case .inherited = group { spawn.group = .own }
    var readEnds: [Int32: Int32] = [:]
    var writeEnds: [Int32] = []
    defer {
      for end in readEnds.values { close(end) }
      for end in writeEnds { close(end) }
    }
    for number in captures {
      let (readEnd, writeEnd) = try openPipe()
      readEnds[number] = readEnd
      writeEnds.append(writeEnd)
      spawn.descriptors[number] = writeEnd
    }
    if spawn.descriptors[0] == nil {
      let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
      writeEnds.append(null)
      spawn.descriptors[0] = null
    }

    let pid = try spawn.start()
    for end in writeEnds { close(end) }
    writeEnds = []
    // Until it is waited for, the pid and the group of a child cannot be taken by another process.
    let process: ProcessDescriptor
    do {
      process = try ProcessDescriptor(pid: pid)
    } catch {
      signalGroup(pid, SIGKILL)
      _ = waitForChild(pid)
      throw error
    }

    var reader = PipeReader(readEnds: readEnds, limitBytes: limitBytes)
    let hasTimedOut = !reader.read(until: process, deadline: monotonicSeconds() + seconds)
    signalGroup(pid, SIGKILL)
    _ = process.hasEnded(within: -1)
    reader.readRest()
    let ended = waitForChild(pid)!
    return CapturedProcess(
      status: ended.status, usage: ended.usage, captured: reader.captured, hasTimedOut: hasTimedOut,
      isTruncated: reader.isTruncated)
  }
}

private struct PipeReader {
  var captured: [Int32: [UInt8]]
  var isTruncated = false
  private var open: [Int32: Int32]
  private let limitBytes: Int

  init(readEnds: [Int32: Int32], limitBytes: Int) {
    open = readEnds
    captured = readEnds.mapValues { _ in [] }
    self.limitBytes = limitBytes
  }

  /// Reads until the process has ended. False when the deadline came first.
  mutating func read(until process: ProcessDescriptor, deadline: Double) -> Bool {
    while true {
      let numbers = open.keys.sorted()
      var entries = numbers.map { pollfd(fd: open[$0]!, events: Int16(POLLIN), revents: 0) }
      entries.append(pollfd(fd: process.descriptor, events: Int16(POLLIN), revents: 0))
      let left = deadline - monotonicSeconds()
      if left <= 0 { return process.hasEnded() }
      _ = poll(&entries, nfds_t(entries.count), Int32(min(left * 1000, 1e9).rounded(.up)))
      for (number, entry) in zip(numbers, entries) where entry.revents != 0 { readSome(number) }
      if entries.last!.revents != 0 { return true }
    }
  }

  /// Reads what is already in the pipes: nobody who could add to them is worth waiting for.
  mutating func readRest() {
    for number in open.keys.sorted() { while open[number] != nil, readSome(number) {} }
  }

  /// False when there is nothing for now.
  @discardableResult
  private mutating func readSome(_ number: Int32) -> Bool {
    let part = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, used in
      let count = retrying { Glibc.read(open[number]!, buffer.baseAddress, buffer.count) }
      if count == 0 { open[number] = nil }
      used = max(0, count)
    }
    let room = limitBytes - captured[number]!.count
    if part.count > room { isTruncated = true }
    captured[number]! += part.prefix(max(0, room))
    return !part.isEmpty
  }
}

/// The read end does not block.
package func openPipe() throws(SystemError) -> (readEnd: Int32, writeEnd: Int32) {
  var ends: [Int32] = [-1, -1]
  if clinux_pipe(&ends) != 0 { throw SystemError("open a pipe") }
  _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
  return (ends[0], ends[1])
}

/// Seconds on a clock that only goes forward.
package func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Seconds that this thread has run on a processor.
package func threadSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
