internal import CLinux
internal import Foundation
internal import Processes

/// Does what programs of the VM are asked.
enum CommandServer {
  static func listen(_ machine: MachineInit) throws {
    let socket = try UnixSocket.listen(MachineRoot.commandSocket)
    try machine.loop.watch(socket) { [unowned machine] _ in
      let connection = clinux_accept(socket)
      guard connection >= 0 else { return }
      _ = try? CommandConnection(machine.loop, socket: connection) { [unowned machine] request, connection in
        answer(request, connection, machine)
      }
    }
  }

  private static func answer(_ request: CommandRequest, _ connection: CommandConnection, _ machine: MachineInit) {
    switch request.program {
    case "docker": DockerCommand(containers: machine.containers, request: request, connection: connection).run()
    case "systemctl": SystemctlCommand(machine: machine, connection: connection).run(request.arguments)
    case "poweroff": power(MachineExit.poweredOff, connection, machine)
    case "reboot": power(MachineExit.reboot, connection, machine)
    default:
      connection.error("\(request.program): not emulated\n")
      connection.finish(1)
    }
  }

  static func power(_ code: Int32, _ connection: CommandConnection, _ machine: MachineInit) {
    connection.finish(0)
    machine.shutDown(code)
  }
}
