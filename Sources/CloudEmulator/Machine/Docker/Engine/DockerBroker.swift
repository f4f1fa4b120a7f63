internal import CLinux
internal import Foundation
internal import Processes

/// What a broker is told.
struct BrokerPlan: Codable {
  var engine: DockerEngine
  /// Of the VM.
  var folder: String
  var metadataAddress: String

  var arguments: EngineArguments {
    EngineArguments(
      identity: DockerEngine.identity(folder), owner: engine.owner, metadataAddress: metadataAddress,
      paths: MachinePaths(folder: folder))
  }
}

/// Outside a VM, for one boot of it: has the real client do what programs of the VM ask of docker, and removes the VM's
/// containers when the VM has ended, or the emulator, whatever has ended that.
///
///     serving -> the pipe from the emulator has ended -> clients killed -> containers removed -> off
final class DockerBroker {
  /// Descriptors it is started with.
  enum Descriptor {
    /// Nothing is ever written to it.
    static let life: Int32 = 3
    static let listener: Int32 = 4
  }

  private let plan: BrokerPlan
  private let loop: MachineLoop
  private let arguments: EngineArguments
  private let environment = DockerEngine.clientEnvironment(ProcessInfo.processInfo.environment)
  private var clients: [pid_t: EngineClient] = [:]

  static func run(_ json: String) -> Never {
    // It has to outlive whoever is told to end.
    for number in [SIGPIPE, SIGTERM, SIGINT, SIGHUP] { signal(number, SIG_IGN) }
    do {
      let broker = try DockerBroker(JSONDecoder().decode(BrokerPlan.self, from: Data(json.utf8)))
      try broker.listen()
      giveBackMemory()
      broker.loop.run()
    } catch {
      complain("\(error)")
      exit(1)
    }
  }

  private init(_ plan: BrokerPlan) throws {
    self.plan = plan
    arguments = plan.arguments
    loop = try MachineLoop()
  }

  private func listen() throws {
    try loop.watch(Descriptor.life) { [self] _ in end() }
    try loop.watch(Descriptor.listener) { [self] _ in
      let connection = clinux_accept(Descriptor.listener)
      guard connection >= 0 else { return }
      _ = try? CommandConnection(loop, socket: connection) { [self] request, connection in
        answer(request, connection)
      }
    }
  }

  private func end() -> Never {
    for client in clients.values { client.signal(SIGKILL) }
    do {
      try plan.engine.removeContainers(label: arguments.label, looksAgain: true)
    } catch {
      Self.complain("\(error)")
      exit(1)
    }
    exit(0)
  }

  private static func complain(_ text: String) {
    FileHandle.standardError.write(Data("dagrun: docker: \(text)\n".utf8))
  }

  private func answer(_ request: CommandRequest, _ connection: CommandConnection) {
    guard let (verb, words) = DockerCommand.verb(of: request) else { return fail(connection, 1, "docker: no command") }
    switch verb {
    case "run":
      do {
        let run = try arguments.run(words, request)
        stream(run.arguments, run.environment, connection)
      } catch let error as DockerUsageError {
        fail(connection, 125, "docker: \(error.message)\n\nRun 'docker run --help' for more information")
      } catch {
        fail(connection, 125, "docker: \(error)")
      }
    case "pull": stream(["pull"] + words, [:], connection)
    case "image inspect": stream(["image", "inspect"] + words, [:], connection)
    case "version", "--version", "-v": stream([verb] + words, [:], connection)
    case "ps", "ls": collect(arguments.list(words), connection)
    case "inspect": inspect(words, connection)
    case "logs":
      named(words, ["--tail", "-n", "--since", "--until"], connection) { [self] words, _ in
        stream(["logs"] + words, [:], connection)
      }
    case "kill":
      named(words, ["--signal", "-s"], connection) { [self] words, _ in collect(["kill"] + words, connection) }
    case "stop":
      named(words, ["--time", "-t", "--timeout", "--signal", "-s"], connection) { [self] words, _ in
        collect(["stop"] + words, connection)
      }
    case "wait": named(words, [], connection) { [self] words, _ in collect(["wait"] + words, connection) }
    // Volumes without a name end with the VM's disk, and so with their container.
    case "rm":
      named(words, [], connection) { [self] words, _ in collect(["rm", "--volumes"] + words, connection) }
    case "login", "logout":
      connection.error("docker: the logins are those of whoever has started the emulator\n")
      connection.finish(0)
    default:
      fail(
        connection, 1,
        "docker: '\(verb)' is not done with a real engine, for it is not this VM's alone: only run, pull, inspect, logs, "
          + "kill, stop, rm, wait, ps and version are")
    }
  }

  private func fail(_ connection: CommandConnection, _ status: Int32, _ message: String) {
    connection.error(message + "\n")
    connection.finish(status)
  }

  /// Images are everybody's, and containers the VM's own.
  private func inspect(_ words: [String], _ connection: CommandConnection) {
    let valued: Set<String> = ["--format", "-f", "--type"]
    let type = DockerCommand.value(words, ["--type"])
    if type == "image" { return stream(["inspect"] + words, [:], connection) }
    guard type == nil || type == "container" else {
      return fail(connection, 1, "docker: only containers and images can be inspected")
    }
    named(words, valued, connection) { [self] translated, areAllOwn in
      if type == nil, !areAllOwn { return collect(["inspect", "--type", "image"] + words, connection) }
      collect(["inspect"] + (type == nil ? ["--type", "container"] : []) + translated, connection)
    }
  }

  /// The words again, with containers named as the engine knows them, and whether all of them are this VM's.
  private func named(
    _ words: [String], _ valued: Set<String>, _ connection: CommandConnection,
    _ body: @escaping (_ words: [String], _ areAllOwn: Bool) -> Void
  ) {
    let list = ["ps", "--all", "--no-trunc", "--filter", "label=\(arguments.label)", "--format", "{{.ID}} {{.Names}}"]
    collect(list, connection) { [self] status, output, error in
      guard status == 0 else {
        connection.send(CommandFrame.standardError, error)
        return connection.finish(1)
      }
      let own = String(decoding: output, as: UTF8.self).split(separator: "\n").compactMap { line in
        let parts = line.split(separator: " ").map(String.init)
        return parts.count == 2 ? (id: parts[0], name: parts[1]) : nil
      }
      var areAllOwn = true
      let indices = Set(DockerCommand.nameIndices(words, valued))
      let translated = words.enumerated().map { index, word in
        guard indices.contains(index) else { return word }
        let name = arguments.container(word, among: own)
        if !own.contains(where: { $0.id == name || $0.name == name }) { areAllOwn = false }
        return name
      }
      body(translated, areAllOwn)
    }
  }

  private func spawn(_ words: [String], _ variables: [String: String] = [:]) -> Spawn {
    Spawn(
      plan.engine.client, words, environment: environment.merging(variables) { own, _ in own }, workingDirectory: "/")
  }

  private func stream(_ words: [String], _ variables: [String: String], _ connection: CommandConnection) {
    var pid: pid_t = 0
    do {
      let client = try EngineClient.stream(spawn(words, variables), to: connection, loop: loop) { [self] status in
        clients[pid] = nil
        connection.finish(status)
      }
      pid = client.pid
      clients[pid] = client
    } catch {
      fail(connection, 125, "docker: \(error)")
    }
  }

  /// What is written comes at the end, in the VM's words.
  private func collect(_ words: [String], _ connection: CommandConnection) {
    collect(words, connection) { [self] status, output, error in
      connection.send(CommandFrame.standardOutput, arguments.translated(output))
      connection.send(CommandFrame.standardError, arguments.translated(error))
      connection.finish(status)
    }
  }

  private func collect(
    _ words: [String], _ connection: CommandConnection,
    _ body: @escaping (_ status: Int32, _ output: [UInt8], _ error: [UInt8]) -> Void
  ) {
    var pid: pid_t = 0
    do {
      let client = try EngineClient.collect(spawn(words), loop: loop) { [self] status, output, error in
        clients[pid] = nil
        body(status, output, error)
      }
      pid = client.pid
      clients[pid] = client
      connection.whenSignaled = { client.signal($0) }
      connection.whenClosed = { client.signal(SIGKILL) }
    } catch {
      fail(connection, 125, "docker: \(error)")
    }
  }
}
