internal import Foundation

/// `systemctl`, as far as a job's VM needs it. Exit statuses are systemctl's.
struct SystemctlCommand {
  let machine: MachineInit
  let connection: CommandConnection

  func run(_ arguments: [String]) {
    let options = arguments.filter { $0.hasPrefix("-") }
    var words = arguments.filter { !$0.hasPrefix("-") }
    guard !words.isEmpty else { return fail("systemctl: no command\n") }
    let verb = words.removeFirst()
    let names = words.map(UnitManager.fullName)
    let isQuiet = options.contains("--quiet") || options.contains("-q")
    let waits = !options.contains("--no-block")
    let units = machine.units

    switch verb {
    case "daemon-reload":
      units.reload()
      connection.finish(0)
    case "start", "restart", "try-restart", "reload-or-restart":
      for name in names where unknown(name) { return }
      each(names, waits) { name, done in
        if verb == "start" { return units.start(name, done) }
        units.stop(name) { units.start(name, done) }
      } failed: { name in
        """
        Job for \(name) failed because the control process exited with error code.
        See "systemctl status \(name)" and "journalctl -xeu \(name)" for details.

        """
      }
    case "stop":
      each(names, waits) { name, done in
        units.stop(name) { done(true) }
      } failed: { _ in
        ""
      }
    case "kill":
      let number = options.lazy.compactMap { $0.hasPrefix("--signal=") ? signalNumber(String($0.dropFirst(9))) : nil }
      for name in names { units.service(name)?.signal(number.first ?? SIGTERM) }
      connection.finish(0)
    case "enable", "disable":
      for name in names where unknown(name) { return }
      for name in names { units.enable(name, verb == "enable") }
      guard options.contains("--now") else { return connection.finish(0) }
      each(names, waits) { name, done in
        if verb == "enable" { units.start(name, done) } else { units.stop(name) { done(true) } }
      } failed: {
        "Job for \($0) failed.\n"
      }
    case "is-active", "is-failed", "status":
      let states = names.map { UnitManager.isBuiltIn($0) ? "active" : units.service($0)?.stateName ?? "inactive" }
      if !isQuiet { connection.output(states.map { $0 + "\n" }.joined()) }
      let wanted = verb == "is-failed" ? "failed" : "active"
      connection.finish(states.contains(wanted) ? 0 : verb == "is-failed" ? 1 : 3)
    case "is-enabled":
      let isEnabled = names.allSatisfy(units.isEnabled)
      if !isQuiet { connection.output(isEnabled ? "enabled\n" : "disabled\n") }
      connection.finish(isEnabled ? 0 : 1)
    case "show":
      for name in names {
        connection.output(
          "MainPID=\(units.service(name)?.mainPid ?? 0)\nActiveState=\(units.service(name)?.stateName ?? "inactive")\n")
      }
      connection.finish(0)
    case "poweroff", "halt": CommandServer.power(MachineExit.poweredOff, connection, machine)
    case "reboot": CommandServer.power(MachineExit.reboot, connection, machine)
    case "mask", "unmask", "reset-failed", "daemon-reexec", "set-property", "reload": connection.finish(0)
    default: fail("Unknown command verb \(verb).\n")
    }
  }

  private func fail(_ text: String) {
    connection.error(text)
    connection.finish(1)
  }

  private func unknown(_ name: String) -> Bool {
    if UnitManager.isBuiltIn(name) || machine.units.service(name) != nil { return false }
    connection.error("Failed to start \(name): Unit \(name) not found.\n")
    connection.finish(5)
    return true
  }

  private func each(
    _ names: [String], _ waits: Bool, _ body: (_ name: String, _ done: @escaping (Bool) -> Void) -> Void,
    failed: @escaping (String) -> String
  ) {
    var left = names.count
    var status: Int32 = 0
    for name in names {
      body(name) { [connection] succeeded in
        left -= 1
        if !succeeded, waits {
          connection.error(failed(name))
          status = 1
        }
        if left == 0, waits { connection.finish(status) }
      }
    }
    if !waits || names.isEmpty { connection.finish(0) }
  }
}
