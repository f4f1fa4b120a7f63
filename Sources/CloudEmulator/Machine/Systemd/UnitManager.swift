internal import Foundation
internal import Processes

/// The units of a VM: which there are, which wait for which.
final class UnitManager {
  private let loop: MachineLoop
  private let console: Console
  private let environment: [String: String]
  private var services: [String: ServiceUnit] = [:]
  private var enabled: Set<String> = []
  private var isDockerStopped = false
  /// Stops all containers, as docker's own service does when it is stopped.
  var stopDocker: (_ done: @escaping () -> Void) -> Void = { $0() }

  private static let folders = ["/etc/systemd/system", "/run/systemd/system"]
  /// What is there on Container-Optimized OS and needs no doing here.
  private static let builtIn: Set<String> = [
    "docker.service", "docker.socket", "containerd.service", "gcr-online.target", "gcr-wait-online.service",
    "network-online.target", "network.target", "multi-user.target", "basic.target", "sysinit.target", "local-fs.target",
    "cloud-init.service", "cloud-config.service", "cloud-final.service", "cloud-init.target", "default.target",
    "remote-fs.target", "time-sync.target", "nss-lookup.target", "konlet-startup.service", "shutdown.target",
  ]

  init(loop: MachineLoop, console: Console, environment: [String: String]) {
    self.loop = loop
    self.console = console
    // A system service has no HOME.
    self.environment = environment
  }

  static func isBuiltIn(_ name: String) -> Bool { builtIn.contains(name) }

  static func fullName(_ name: String) -> String {
    ["service", "target", "socket", "timer", "mount"].contains((name as NSString).pathExtension)
      ? name : name + ".service"
  }

  func service(_ name: String) -> ServiceUnit? { services[name] ?? load(name) }

  /// Forgets what was read from files, but for units that have processes.
  func reload() {
    for (name, service) in services where !service.hasProcesses { services[name] = nil }
  }

  private func load(_ name: String) -> ServiceUnit? {
    for folder in Self.folders {
      guard let bytes = readWholeFile("\(folder)/\(name)") else { continue }
      let file = UnitFile(name: name, text: String(decoding: bytes, as: UTF8.self), hostName: hostName())
      for note in file.notes { console.write("systemd: \(name): \(note)") }
      let service = ServiceUnit(file, loop: loop, environment: environment) { [console] line in
        console.write(line)
        Journal.append(line, of: name)
      }
      services[name] = service
      return service
    }
    return nil
  }

  private func hostName() -> String {
    String(decoding: (readWholeFile("/etc/hostname") ?? []).prefix { $0 > 32 }, as: UTF8.self)
  }

  func enable(_ name: String, _ isEnabled: Bool) { if isEnabled { enabled.insert(name) } else { enabled.remove(name) } }

  func isEnabled(_ name: String) -> Bool { enabled.contains(name) }

  /// At the end of the boot. What has been started meanwhile stays as it is.
  func startEnabled() {
    for name in enabled.sorted() { start(name) { _ in } }
  }

  /// Starts the unit and what it wants and requires, in their order.
  ///
  /// - Parameter done: whether the unit itself came up.
  func start(_ name: String, _ done: @escaping (Bool) -> Void) {
    let transaction = StartTransaction(units: closure(of: name))
    transaction.isUp = { [self] name in Self.isBuiltIn(name) || services[name]?.isActive ?? false }
    transaction.launch = { [self] name, settled in
      guard let service = service(name) else {
        console.write("systemd: \(name) is not there, and counts as up")
        return settled(true)
      }
      service.start(settled)
    }
    transaction.run(name, done)
  }

  /// The unit, and what it wants and requires, and so on.
  private func closure(of name: String) -> [String: UnitFile] {
    var units: [String: UnitFile] = [:]
    var names = [name]
    while let next = names.popLast() {
      guard units[next] == nil, !Self.isBuiltIn(next) else { continue }
      guard let service = service(next) else { continue }
      units[next] = service.file
      names += service.file.wants + service.file.requires
    }
    return units
  }

  /// In the reverse of their order. New units are not started meanwhile.
  func stopAll(_ done: @escaping () -> Void) {
    var waiting = services.filter { $0.value.hasProcesses }.mapValues(\.file)
    waiting["docker.service"] = UnitFile(name: "docker.service", text: "", hostName: "")
    var stopping: Set<String> = []
    func next() {
      if waiting.isEmpty { return done() }
      // Whoever comes after a unit goes first; in a circle, nobody does.
      let isNeeded = { [self] (name: String) in
        waiting.contains { other, file in
          other != name && (comesAfter(file, name) || waiting[name]!.before.contains(other))
        }
      }
      let isCircle = stopping.isDisjoint(with: waiting.keys) && waiting.keys.allSatisfy(isNeeded)
      for name in waiting.keys.sorted() where !stopping.contains(name) {
        guard waiting[name] != nil, isCircle || !isNeeded(name) else { continue }
        stopping.insert(name)
        stop(name) {
          waiting[name] = nil
          next()
        }
      }
    }
    next()
  }

  private func comesAfter(_ file: UnitFile, _ name: String) -> Bool {
    file.after.contains(name) || (name == "docker.service" && file.after.contains("docker.socket"))
  }

  func stop(_ name: String, _ done: @escaping () -> Void) {
    if name == "docker.service" { return stopDocker(done) }
    guard let service = services[name] else { return done() }
    service.stop(done)
  }
}

/// Units that start together: each when those it comes after are settled.
private final class StartTransaction {
  private let units: [String: UnitFile]
  private var waiting: Set<String>
  private var running: Set<String> = []
  private var failed: Set<String> = []
  var isUp: (String) -> Bool = { _ in false }
  var launch: (_ name: String, _ settled: @escaping (Bool) -> Void) -> Void = { $1(true) }

  init(units: [String: UnitFile]) {
    self.units = units
    waiting = Set(units.keys)
  }

  func run(_ name: String, _ done: @escaping (Bool) -> Void) {
    if units[name] == nil { return launch(name, done) }
    next { [self] in done(!failed.contains(name)) }
  }

  private func next(_ done: @escaping () -> Void) {
    if waiting.isEmpty, running.isEmpty { return done() }
    // Units that wait for each other in a circle all start, as if they had no order.
    let isCircle = running.isEmpty && waiting.allSatisfy(isBlocked)
    for name in waiting.sorted() where waiting.contains(name) && (isCircle || !isBlocked(name)) {
      let file = units[name]!
      waiting.remove(name)
      if file.requires.contains(where: failed.contains) {
        failed.insert(name)
        return next(done)
      }
      running.insert(name)
      launch(name) { [self] isActive in
        running.remove(name)
        if !isActive { failed.insert(name) }
        next(done)
      }
    }
  }

  private func isBlocked(_ name: String) -> Bool {
    units.contains { other, file in
      (waiting.contains(other) || running.contains(other)) && other != name
        && (units[name]!.after.contains(other) || file.before.contains(name))
    }
  }
}

/// What units have written, a file for each.
enum Journal {
  private static let folder = "/var/log/journal"

  static func append(_ line: ArraySlice<UInt8>, of unit: String) {
    try? makeFolders(folder)
    let descriptor = open("\(folder)/\(unit).log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    try? (line + [UInt8(ascii: "\n")]).withUnsafeBytes { try writeAll($0, to: descriptor) }
  }

  static func text(of unit: String) -> [UInt8] { readWholeFile("\(folder)/\(unit).log") ?? [] }
}
