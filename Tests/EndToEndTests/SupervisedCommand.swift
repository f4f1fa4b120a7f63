import Foundation
import Processes
import Testing
import WaitSupport

/// A command as another scheduler's worker runs it: its result on one pipe, its log beside it, and a leash.
///
/// Nothing here blocks a thread: the emulator runs in the same process, and needs them.
final class SupervisedCommand {
  let pid: pid_t
  private let folder: String
  private var leash: Int32?
  private var input: Int32?

  /// - Parameters:
  ///   - rest: behind the option that names the leash.
  ///   - isServer: its standard input stays open, for orders.
  init(
    _ project: Project, _ arguments: [String], rest: [String] = [], hasLeash: Bool = true, isServer: Bool = false
  ) throws {
    let folder = project.path + "/\(UUID().uuidString)"
    self.folder = folder
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func file(_ name: String) -> Int32 { open(folder + "/" + name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }
    let (output, errors) = (file("output"), file("errors"))
    var held = [output, errors]
    defer { for descriptor in held { close(descriptor) } }
    var arguments = arguments
    var descriptors: [Int32: Int32] = [1: output, 2: errors]
    func addPipe(_ number: Int32) -> Int32 {
      var ends: [Int32] = [0, 0]
      precondition(pipe(&ends) == 0, "there are no more descriptors")
      // Other commands of this test must not hold it.
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      held.append(ends[0])
      descriptors[number] = ends[0]
      return ends[1]
    }
    if hasLeash {
      leash = addPipe(9)
      arguments += ["--leash", "9"]
    }
    if isServer { input = addPipe(0) }
    var spawn = Spawn(
      Project.binary, arguments + rest, environment: project.environment, workingDirectory: project.path)
    spawn.descriptors = descriptors
    spawn.group = .own
    pid = try spawn.start()
  }

  deinit {
    closeLifeline()
    closeInput()
    kill(pid, SIGKILL)
    _ = waitForChild(pid)
  }

  var output: String { text("output") }
  var errors: String { text("errors") }

  private func text(_ name: String) -> String {
    (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? ""
  }

  /// Its one JSON object, once it is complete.
  var result: [String: Any]? {
    (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any]
  }

  /// Of a server: what it has said so far.
  var events: [[String: Any]] {
    output.split(separator: "\n").compactMap {
      (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
    }
  }

  func event(_ kind: String, ofJob job: String? = nil, seconds: Double = 60) async throws -> [String: Any] {
    func find() -> [String: Any]? {
      events.first { $0["event"] as? String == kind && (job == nil || $0["job"] as? String == job) }
    }
    let isThere = await wait(seconds: seconds) { _ in find() != nil }
    try #require(isThere, "no \(kind): \(output) \(errors)")
    return try #require(find())
  }

  func order(_ line: String) {
    let text = line + "\n"
    #expect(Foundation.write(input ?? -1, text, text.utf8.count) == text.utf8.count)
  }

  func taken() {
    #expect(Foundation.write(leash ?? -1, "taken\n", 6) == 6)
  }

  /// As if whoever began it were dead.
  func closeLifeline() {
    if let leash { close(leash) }
    leash = nil
  }

  func closeInput() {
    if let input { close(input) }
    input = nil
  }

  func signal(_ number: Int32) { kill(pid, number) }

  /// Waits until what it has said holds for a condition.
  func wait(
    seconds: Double = 60, until condition: (SupervisedCommand) throws -> Bool
  ) async rethrows -> Bool {
    try await awaitChanges(in: folder, seconds: seconds) { try condition(self) }
  }

  func waitForResult() async throws -> [String: Any] {
    let isThere = await wait { $0.result != nil }
    try #require(isThere, "no result: \(output) \(errors)")
    return try #require(result)
  }

  func waitUntilSaid(_ words: String) async throws {
    let isSaid = await wait { $0.errors.contains(words) }
    try #require(isSaid, "it did not say \"\(words)\": \(errors)")
  }

  func waitForEnd(seconds: Double = 60) async throws -> Int {
    let descriptor = try ProcessDescriptor(pid: pid)
    let hasEnded = await awaitEnd(of: descriptor, seconds: seconds)
    try #require(hasEnded, "it still runs: \(output) \(errors)")
    switch try #require(waitForChild(pid)).status {
    case .exited(let code): return Int(code)
    case .signaled(let number): return 128 + Int(number)
    }
  }

  func killAndWait() async throws {
    signal(SIGKILL)
    _ = try await waitForEnd()
  }
}
