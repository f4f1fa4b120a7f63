internal import Foundation
internal import Processes

/// The units of a VM: services, none of which waits for another.
final class UnitManager {
  private let loop: MachineLoop
  private let console: Console
  private let environment: [String: String]
  private var services: [String: ServiceUnit] = [:]
  private var enabled: Set<String> = []

  private static let folder = "/etc/systemd/system"
  /// What is there on Container-Optimized OS and needs no doing here.
  private static let builtIn: Set<String> = [
    "docker.service", "docker.socket", "gcr-online.target", "network-online.target", "multi-user.target",
  ]

  init(loop: MachineLoop, console: Console, environment: [String: String]) {
    self.loop = loop
    self.console = console
    // A system service has no HOME.
    self.environment = environment
  }

  /// nil: there is no such unit.
  func service(_ name: String) -> ServiceUnit? { services[name] ?? load(name) }

  /// Forgets what was read from files, but for units that have processes.
  func reload() {
    for (name, service) in services where !service.hasProcesses { services[name] = nil }
  }

  private func load(_ name: String) -> ServiceUnit? {
    guard let bytes = readWholeFile("\(Self.folder)/\(name)") else { return nil }
    let file = UnitFile(name: name, text: String(decoding: bytes, as: UTF8.self))
    let missing = file.wants.filter { !Self.builtIn.contains($0) }.map { "\($0) is not there, and counts as up" }
    for note in file.notes + missing { console.write("systemd: \(name): \(note)") }
    let service = ServiceUnit(file, loop: loop, environment: environment) { [console] line in console.write(line) }
    services[name] = service
    return service
  }

  func enable(_ name: String) { enabled.insert(name) }

  /// At the end of the boot. What has been started meanwhile stays as it is.
  func startEnabled() {
    for name in enabled.sorted() { _ = service(name)?.start() }
  }

  /// All at once: docker, which they come after, is stopped then.
  func stopAll(_ done: @escaping () -> Void) {
    let running = services.values.filter(\.hasProcesses)
    var left = running.count
    if left == 0 { return done() }
    for service in running {
      service.stop {
        left -= 1
        if left == 0 { done() }
      }
    }
  }
}
