internal import Dagrun
internal import Glibc
package import Model
package import Processes

/// How worker processes are started.
package struct WorkerProgram: Sendable {
  /// The executable; `arguments` come before those of the worker.
  package var executable: String
  package var arguments: [String]
  package var environment: [String: String]

  /// - Parameter environment: that of the scheduler; tasks inherit it.
  package init(
    executable: String = "/proc/self/exe", arguments: [String] = [],
    environment: [String: String] = TaskEnvironment.currentEnvironment()
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
  }

  fileprivate func environment(folder: String) -> [String: String] {
    var all = environment
    all[TaskEnvironment.inheritedBacktrace] = all[TaskEnvironment.backtrace]
    all[TaskEnvironment.backtrace] =
      "enable=yes,interactive=no,color=no,output-to=stderr,threads=crashed,registers=none,images=none,cache=no"
    all[TaskEnvironment.marker] = folder
    return all
  }
}

/// The scheduler's end of one worker process that it has started.
package final class WorkerLink {
  package let folder: String
  package let process: ProcessDescriptor
  /// For reports; does not block.
  package let socket: Int32
  private let control: Int32
  private var incoming = MessageBuffer(limitBytes: TaskResult.outputLimitBytes + (1 << 20))
  private var outgoing = ByteWriter()
  private var sentBytes = 0
  private var controlWriter = ByteWriter()

  package var pid: Int32 { process.pid }

  /// Starts a worker, which makes the folder itself.
  package init(_ program: WorkerProgram, folder: String) throws(SystemError) {
    let tasks = try socketPair()
    let control = try socketPair()
    defer {
      close(tasks.theirs)
      close(control.theirs)
    }
    var spawn = Spawn(
      program.executable, program.arguments + workerArguments(folder: folder, scheduler: getpid()),
      environment: program.environment(folder: folder))
    spawn.name = "dagrun"
    spawn.group = .session
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(null) }
    spawn.descriptors = [0: null, WorkerDescriptors.tasks: tasks.theirs, WorkerDescriptors.control: control.theirs]
    do {
      process = try ProcessDescriptor(pid: try spawn.start())
    } catch {
      close(tasks.ours)
      close(control.ours)
      throw error
    }
    self.folder = folder
    self.socket = tasks.ours
    self.control = control.ours
    _ = fcntl(socket, F_SETFL, O_NONBLOCK)
    _ = fcntl(self.control, F_SETFL, O_NONBLOCK)
  }

  /// Closing the sockets tells the worker to leave when it has ended what it is doing.
  deinit {
    close(socket)
    close(control)
  }

  /// Tells the worker that nothing more will come: it leaves when it has ended what it is doing.
  package func hangUp() {
    shutdown(socket, Int32(SHUT_WR))
    shutdown(control, Int32(SHUT_RDWR))
  }

  /// - Returns: false when a part has to wait until the socket takes more (`sendRest`).
  package func send(_ request: WorkerRequest) -> Bool {
    request.append(to: &outgoing)
    return sendRest()
  }

  /// Stops the try, if the worker is at it, or when it comes to it.
  package func stop(_ id: TryKey) {
    controlWriter.removeAll()
    WorkerRequest.stop(id).append(to: &controlWriter)
    // A few bytes, which no socket is ever too full for; a worker that is gone needs no stop.
    _ = controlWriter.bytes.withUnsafeBytes { Glibc.send(control, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    // A Swift task may have stopped its process, and with it the thread that listens.
    process.signal(SIGCONT)
  }

  /// True when nothing is left. A worker that is gone takes everything: its end is told by its process.
  package func sendRest() -> Bool {
    while sentBytes < outgoing.bytes.count {
      let count = outgoing.bytes.withUnsafeBytes { bytes in
        retrying { Glibc.send(socket, bytes.baseAddress! + sentBytes, bytes.count - sentBytes, Int32(MSG_NOSIGNAL)) }
      }
      if count < 0, errno == EAGAIN { return false }
      if count < 0 { break }
      sentBytes += count
    }
    outgoing.removeAll()
    sentBytes = 0
    return true
  }

  /// Reads once, and takes what there is of whole reports.
  ///
  /// A worker that says what makes no sense is killed: user code runs in that process, and may have written to any of
  /// its descriptors.
  ///
  /// - Returns: false when the worker has closed its end, or was killed.
  package func receive(_ body: (WorkerReport) -> Void) -> Bool {
    let filling = incoming.fill(from: socket)
    do {
      while let report = try incoming.next({ (bytes) throws(MalformedBytes) in try WorkerReport(bytes) }) {
        body(report)
      }
    } catch {
      process.signal(SIGKILL)
      return false
    }
    return filling != .end
  }
}

private func socketPair() throws(SystemError) -> (ours: Int32, theirs: Int32) {
  var ends: [Int32] = [-1, -1]
  let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
  if socketpair(AF_UNIX, kind, 0, &ends) != 0 { throw SystemError("open a pair of sockets") }
  return (ends[0], ends[1])
}
