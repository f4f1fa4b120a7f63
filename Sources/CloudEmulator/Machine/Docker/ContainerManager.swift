internal import CLinux
internal import Foundation
internal import Processes

/// The containers of a VM: what docker's daemon knows and does.
final class ContainerManager {
  let plan: MachinePlan
  private let loop: MachineLoop
  private let console: Console
  private(set) var records: [String: ContainerRecord] = [:]
  private var running: [String: RunningContainer] = [:]
  private var waiting: [String: [(Int32) -> Void]] = [:]
  private(set) var images: Set<String> = []

  init(loop: MachineLoop, console: Console, plan: MachinePlan) {
    self.loop = loop
    self.console = console
    self.plan = plan
    restore()
  }

  /// What the disk remembers of an earlier boot. What ran then, ended with the machine.
  private func restore() {
    for id in (try? FileManager.default.contentsOfDirectory(atPath: ContainerRecord.folder)) ?? [] {
      guard let json = readWholeFile("\(ContainerRecord.folder)/\(id)/state.json"),
        var record = try? JSONDecoder().decode(ContainerRecord.self, from: Data(json))
      else { continue }
      if record.status == .running {
        record.status = .exited
        record.exitCode = 255
        record.save()
      }
      records[record.id] = record
      images.insert(record.spec.image)
    }
  }

  func find(_ name: String) -> ContainerRecord? { records.values.first { $0.name == name } }

  func pid(_ id: String) -> pid_t { running[id]?.pid ?? 0 }

  /// - Returns: docker's words when there is no such image.
  func pull(_ image: String) -> String? {
    let repository = image.split(separator: "@")[0].split(separator: ":").first.map(String.init) ?? image
    if image.contains("does-not-exist") || plan.missingImages.contains(image) || plan.missingImages.contains(repository)
    {
      return "pull access denied for \(repository), repository does not exist or may require 'docker login': "
        + "denied: requested access to the resource is denied"
    }
    images.insert(image)
    return nil
  }

  func create(_ spec: ContainerSpec) throws -> ContainerRecord {
    let id = (UUID().uuidString + UUID().uuidString).replacingOccurrences(of: "-", with: "").lowercased()
    let name = spec.name ?? "container_" + id.prefix(12)
    if let other = find(name) {
      throw DockerUsageError(
        message: "Error response from daemon: Conflict. The container name \"/\(name)\" is already in use by container "
          + "\"\(other.id)\". You have to remove (or rename) that container to be able to reuse that name.")
    }
    let record = ContainerRecord(id: id, name: name, spec: spec)
    try makeFolders(record.folder, mode: 0o710)
    try makeFolders(record.root, mode: 0o755)
    records[id] = record
    record.save()
    return record
  }

  /// - Parameters:
  ///   - connection: gets its output.
  ///   - started: nil, or why it was not.
  func start(_ id: String, _ connection: CommandConnection, started: @escaping (ContainerFailure?) -> Void) throws {
    let record = records[id]!
    let output = ContainerOutput(loop: loop, to: connection)
    let containerPlan = ContainerPlan(
      spec: record.spec, root: record.root, hostName: plan.hostName, environment: environment(record.spec))
    let container = try RunningContainer.start(
      containerPlan, machine: plan, folder: record.folder, output: output, loop: loop)
    running[id] = container
    container.whenStarted = { [self] failure in
      if let failure {
        records[id]?.error =
          "failed to create task for container: failed to create shim task: OCI runtime create "
          + "failed: runc create failed: unable to start container process: \(failure.message): unknown"
      } else {
        records[id]?.status = .running
        records[id]?.startedAt = Date()
      }
      records[id]?.save()
      started(failure)
    }
    container.whenEnded = { [self] status in ended(id, status) }
  }

  private func ended(_ id: String, _ status: Int32) {
    running[id] = nil
    records[id]?.status = .exited
    records[id]?.exitCode = status
    if records[id]?.startedAt != nil { records[id]?.finishedAt = Date() }
    records[id]?.save()
    if let record = records[id] { console.write("docker: container \(record.name) has ended: \(status)") }
    for body in waiting.removeValue(forKey: id) ?? [] { body(status) }
  }

  /// Docker's: what the command line gives, and little else; where the metadata server is, for Google's libraries.
  private func environment(_ spec: ContainerSpec) -> [String] {
    var order: [String] = []
    var values: [String: String] = [:]
    let standard = [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=\(plan.hostName)", "HOME=/root",
      "GCE_METADATA_HOST=\(plan.metadataAddress)",
    ]
    for entry in standard + spec.environment {
      let name = String(entry.prefix { $0 != "=" })
      if values.updateValue(entry, forKey: name) == nil { order.append(name) }
    }
    return order.map { values[$0]! }
  }

  func whenEnded(_ id: String, _ body: @escaping (Int32) -> Void) {
    if running[id] == nil { return body(records[id]?.exitCode ?? 0) }
    waiting[id, default: []].append(body)
  }

  /// Does nothing when it does not run.
  func signal(_ id: String, _ number: Int32) {
    if let container = running[id] { kill(container.pid, number) }
  }

  /// - Parameter seconds: nil: docker's own.
  func stop(_ id: String, seconds: Double?, _ done: @escaping () -> Void) {
    guard let container = running[id] else { return done() }
    kill(container.pid, SIGTERM)
    let timer = loop.after(seconds: seconds ?? 10) { kill(container.pid, SIGKILL) }
    whenEnded(id) { [loop] _ in
      loop.cancel(timer)
      done()
    }
  }

  func stopAll(_ done: @escaping () -> Void) {
    var left = running.count
    if left == 0 { return done() }
    for id in running.keys.sorted() {
      stop(id, seconds: nil) {
        left -= 1
        if left == 0 { done() }
      }
    }
  }

  func remove(_ id: String) {
    guard let record = records.removeValue(forKey: id) else { return }
    try? FileManager.default.removeItem(atPath: record.folder)
  }
}

/// A container's processes.
final class RunningContainer {
  let pid: pid_t
  let output: ContainerOutput
  var whenStarted: (ContainerFailure?) -> Void = { _ in }
  var whenEnded: (Int32) -> Void = { _ in }
  private var failure: [UInt8] = []
  private var isStarted = false
  private var status: Int32?

  static func start(
    _ plan: ContainerPlan, machine: MachinePlan, folder: String, output: ContainerOutput, loop: MachineLoop
  ) throws -> RunningContainer {
    let path = folder + "/plan.json"
    try JSONEncoder().encode(plan).write(to: URL(fileURLWithPath: path))
    let planFile = open(path, O_RDONLY | O_CLOEXEC)
    unlink(path)
    let (failureEnd, childEnd) = try openPipe()
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    let outputs = try output.open()
    let descriptors = [null, outputs.standard, outputs.error, planFile, childEnd]
    defer { for descriptor in descriptors { close(descriptor) } }
    let pid = try ProgramSpawn(
      words: [MachineRoot.program] + machine.programArguments + ["container"],
      environment: MachineRoot.environment(machine).map { "\($0.key)=\($0.value)" },
      descriptors: Dictionary(uniqueKeysWithValues: descriptors.enumerated().map { (Int32($0), $1) })
    ).start(.container)
    return try RunningContainer(pid: pid, output: output, failureEnd: failureEnd, loop: loop)
  }

  private init(pid: pid_t, output: ContainerOutput, failureEnd: Int32, loop: MachineLoop) throws {
    self.pid = pid
    self.output = output
    var watcher: UInt64 = 0
    watcher = try loop.watch(failureEnd) { [self] _ in
      let part = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, used in
        used = max(0, retrying { read(failureEnd, buffer.baseAddress, buffer.count) })
      }
      failure += part
      guard part.isEmpty else { return }
      loop.unwatch(watcher)
      close(failureEnd)
      isStarted = true
      whenStarted(startFailure)
      end()
    }
    loop.whenEnded(pid) { [self] ended in
      status =
        switch ended {
        case .exited(let code): code
        case .signaled(let number): 128 + number
        }
      end()
    }
    output.whenEnded = { [self] in end() }
  }

  /// `STATUS WORDS`
  private var startFailure: ContainerFailure? {
    if failure.isEmpty { return nil }
    let parts = String(decoding: failure, as: UTF8.self).split(separator: " ", maxSplits: 1)
    return ContainerFailure(status: Int32(parts[0]) ?? 125, message: parts.count > 1 ? String(parts[1]) : "")
  }

  /// When its first process has ended, has said whether it started, and all of its output has been read.
  private func end() {
    guard let status, isStarted, output.isEnded else { return }
    let body = whenEnded
    whenEnded = { _ in }
    body(status)
  }
}
