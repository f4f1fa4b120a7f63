internal import Foundation
internal import Processes

/// The broker of one boot of a VM, as the emulator sees it.
final class BrokerProcess {
  let process: ProcessDescriptor
  /// Closed: -1.
  private var lifeEnd: Int32

  init(_ engine: DockerEngine, program: [String], folder: MachineFolder, metadataAddress: String, console: Int32) throws
  {
    // The socket's own path may be longer than a socket's may be.
    let directory = open(folder.boot + "/run/dagrun", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw SystemError("open \(folder.boot)/run/dagrun") }
    defer { close(directory) }
    let name = (MachineRoot.dockerSocket as NSString).lastPathComponent
    let listener = try UnixSocket.listen("/proc/self/fd/\(directory)/\(name)")
    defer { close(listener) }
    let life = try openPipe()
    defer { close(life.readEnd) }
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(null) }
    let plan = BrokerPlan(engine: engine, folder: try Self.real(folder.path), metadataAddress: metadataAddress)
    let json = String(decoding: try JSONEncoder().encode(plan), as: UTF8.self)
    var spawn = Spawn(program[0], Array(program.dropFirst()) + ["docker-broker", json])
    spawn.workingDirectory = "/"
    spawn.group = .session
    spawn.descriptors = [
      0: null, 1: console, 2: console, DockerBroker.Descriptor.life: life.readEnd,
      DockerBroker.Descriptor.listener: listener,
    ]
    do {
      process = try ProcessDescriptor(pid: spawn.start())
    } catch {
      close(life.writeEnd)
      throw error
    }
    lifeEnd = life.writeEnd
  }

  /// It removes the VM's containers, and ends then.
  func end() {
    if lifeEnd >= 0 { close(lifeEnd) }
    lifeEnd = -1
  }

  private static func real(_ path: String) throws -> String {
    guard let real = realpath(path, nil) else { throw SystemError("find \(path)") }
    defer { free(real) }
    return String(cString: real)
  }
}
