internal import Glibc
package import Processes

/// The log of one try. Made when there is something to say: a silent task has no file.
struct LogFile: ~Copyable {
  let path: String
  private var descriptor: Int32 = -1
  private var isAtLineStart = true
  private var lostBytes = 0
  private var allLostBytes = 0
  private var lossCode: Int32 = 0

  /// - Parameter descriptor: of the file that stands for the log; closed at the end. -1: the file is opened when there
  ///   is something to say.
  init(path: String, descriptor: Int32 = -1) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// A log that cannot be written does not fail the task. What was to be written is lost, and the log says so as soon
  /// as it can be written again.
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let last = bytes.last else { return }
    if lostBytes > 0 { tellLoss() }
    let written = lostBytes > 0 ? 0 : put(bytes)
    if written == bytes.count { isAtLineStart = last == UInt8(ascii: "\n") }
    if written > 0, written < bytes.count { isAtLineStart = bytes[written - 1] == UInt8(ascii: "\n") }
    lostBytes += bytes.count - written
  }

  /// Nothing more will come.
  ///
  /// - Returns: what it lacks, and why; nil: nothing. Also what it says itself by now.
  mutating func finish() -> String? {
    if lostBytes > 0 { tellLoss() }
    if lostBytes > 0 { allLostBytes += lostBytes }
    lostBytes = 0
    return allLostBytes == 0 ? nil : "\(allLostBytes) bytes: \(String(cString: strerror(lossCode)))"
  }

  private var loss: String { "\(lostBytes) bytes: \(String(cString: strerror(lossCode)))" }

  private mutating func tellLoss() {
    let line = Array("\(isAtLineStart ? "" : "\n")dagrun: here are missing \(loss)\n".utf8)
    let written = line.withUnsafeBytes { put($0) }
    if written == line.count {
      allLostBytes += lostBytes
      lostBytes = 0
      isAtLineStart = true
    } else if written > 0 {
      // As much of it as the disk took: the next one begins a line of its own.
      isAtLineStart = false
    }
  }

  /// How many bytes were written.
  private mutating func put(_ bytes: UnsafeRawBufferPointer) -> Int {
    if descriptor < 0 {
      do throws(SystemError) {
        descriptor = try openLog(path)
      } catch {
        lossCode = error.code
        return 0
      }
    }
    var done = 0
    while done < bytes.count {
      let count = retrying { write(descriptor, bytes.baseAddress! + done, bytes.count - done) }
      if count < 0 {
        lossCode = errno
        break
      }
      done += count
    }
    return done
  }

  /// A line of dagrun's own.
  mutating func note(_ text: String) {
    var line = Array((isAtLineStart ? "" : "\n").utf8)
    line += Array("dagrun: \(text)\n".utf8)
    line.withUnsafeBytes { append($0) }
  }
}

/// A line of dagrun's own, on the standard error of this process.
func note(_ text: String) {
  fflush(nil)
  Array("dagrun: \(text)\n".utf8).withUnsafeBytes { try? writeAll($0, to: 2) }
}

func openLog(_ path: String) throws(SystemError) -> Int32 {
  var descriptor = openPrivately(path, O_WRONLY | O_APPEND)
  if descriptor < 0, errno == ENOENT {
    try makeFolders(String(path[..<path.lastIndex(of: "/")!]), mode: 0o700)
    descriptor = openPrivately(path, O_WRONLY | O_APPEND)
  }
  if descriptor < 0 { throw SystemError("open the log \(path)") }
  return descriptor
}

/// What a worker's Swift tasks print: descriptors 1 and 2 point here. A file of its own per task would cost more than
/// a small task does; so this one becomes the task's log when there is something in it.
package struct WorkerOutput {
  package static func path(in folder: String) -> String { folder + "/output" }

  /// Makes what is in the worker's output the log at `path`, also for a worker that has died. Nothing, when it is
  /// empty.
  package static func move(from folder: String, to path: String) throws(SystemError) {
    let output = Self.path(in: folder)
    var status = stat()
    guard stat(output, &status) == 0, status.st_size > 0 else { return }
    if renameToNew(output, path) == 0 { return }
    if errno == ENOENT {
      try makeFolders(String(path[..<path.lastIndex(of: "/")!]), mode: 0o700)
      if renameToNew(output, path) == 0 { return }
    }
    // A log that is there is added to: a script's, whose worker has died and said something about it.
    guard [EXDEV, EEXIST, EINVAL].contains(errno) else { throw SystemError("move \(output) to \(path)") }
    let log = try openLog(path)
    defer { close(log) }
    guard let bytes = readWholeFile(output) else { throw SystemError("read \(output)") }
    var failure: SystemError?
    bytes.withUnsafeBytes { bytes in
      do throws(SystemError) { try writeAll(bytes, to: log) } catch { failure = error }
    }
    if let failure { throw failure }
    unlink(output)
  }

  /// Adds a line of dagrun's own to a log, as the engine does for a worker that has died.
  ///
  /// - Returns: as `LogFile.finish`.
  @discardableResult
  package static func note(_ text: String, inLog path: String) -> String? {
    var log = LogFile(path: path)
    log.note(text)
    return log.finish()
  }

  /// Points the standard descriptors of this process at an empty file.
  static func open(in folder: String) throws(SystemError) {
    let descriptor = openPrivately(path(in: folder), O_WRONLY | O_APPEND | O_TRUNC)
    if descriptor < 0 { throw SystemError("create \(path(in: folder))") }
    dup2(descriptor, 1)
    dup2(descriptor, 2)
    close(descriptor)
  }

  /// Called by the worker between two tasks: gives the log what was printed since the last call.
  ///
  /// - Returns: what the log lacks; nil: nothing.
  static func hand(from folder: String, to path: String) throws(SystemError) -> String? {
    let loss = flushStandardOutput()
    try takeOver(from: folder, to: path)
    return loss
  }

  /// What a task printed is lost where the file takes no more, and only the stream remembers.
  static func flushStandardOutput() -> String? {
    flushStreams().map { code in
      "some of what the task printed" + (code == 0 ? "" : ": \(String(cString: strerror(code)))")
    }
  }

  private static func takeOver(from folder: String, to path: String) throws(SystemError) {
    var status = stat()
    if fstat(1, &status) == 0, status.st_size == 0 {
      // It could not be opened the last time.
      if status.st_mode & S_IFMT == S_IFCHR { try open(in: folder) }
      return
    }
    try move(from: folder, to: path)
    do throws(SystemError) {
      try open(in: folder)
    } catch {
      // Rather nowhere than into the log of the task that has ended.
      let null = Glibc.open("/dev/null", O_WRONLY | O_CLOEXEC)
      dup2(null, 1)
      dup2(null, 2)
      close(null)
      throw error
    }
  }
}
