/// `systemctl`, as far as a job's VM needs it. Exit statuses are systemctl's.
struct SystemctlCommand {
  let machine: MachineInit
  let connection: CommandConnection

  func run(_ arguments: [String]) {
    // To start a unit never takes long here: `--no-block` changes nothing.
    let words = arguments.filter { $0 != "--no-block" }
    guard let verb = words.first else { return fail(1, "systemctl: no command") }
    if let option = words.first(where: { $0.hasPrefix("-") }) { return fail(1, "systemctl: \(option) is not emulated") }
    let names = words.dropFirst().map { $0.contains(".") ? $0 : $0 + ".service" }
    switch verb {
    case "daemon-reload":
      machine.units.reload()
      connection.finish(0)
    case "enable": each(names) { machine.units.enable($0.file.name) }
    case "start":
      each(names) { service in
        if !service.start() { throw MachineError("Job for \(service.file.name) failed.") }
      }
    case "poweroff": CommandServer.power(MachineExit.poweredOff, connection, machine)
    case "reboot": CommandServer.power(MachineExit.reboot, connection, machine)
    default: fail(1, "systemctl: \(verb) is not emulated: only daemon-reload, enable, start, poweroff and reboot are")
    }
  }

  private func each(_ names: [String], _ body: (ServiceUnit) throws -> Void) {
    for name in names {
      guard let service = machine.units.service(name) else {
        return fail(5, "Failed to start \(name): Unit \(name) not found.")
      }
      do {
        try body(service)
      } catch {
        return fail(1, "\(error)")
      }
    }
    connection.finish(0)
  }

  private func fail(_ status: Int32, _ text: String) {
    connection.error(text + "\n")
    connection.finish(status)
  }
}
