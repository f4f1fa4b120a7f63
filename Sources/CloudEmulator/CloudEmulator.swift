internal import Foundation
package import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Google's Compute Engine, Pub/Sub, Cloud Storage and Secret Manager, as far as jobs need them, on loopback.
///
/// `docs/emulator.md` says what is emulated, and what is not.
package final class CloudEmulator: Sendable {
  /// `127.0.0.1:PORT/SECRET`: whoever knows it may do everything.
  package let address: String
  package let port: Int
  /// Where its VMs, objects and `service-account.json` are kept.
  package let folder: String
  private let isFolderTemporary: Bool
  private let requiresTokens: Bool
  private let group: MultiThreadedEventLoopGroup
  private let listener: any Channel
  private let server: EmulatorServer

  /// Listens when it returns.
  package static func start(
    _ options: EmulatorOptions = EmulatorOptions(), logger: Logger = Logger(label: "dagrun.emulator")
  ) async throws -> CloudEmulator {
    let folder = try makeFolder(options.folder)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      return try await CloudEmulator(options, folder: folder, group: group, logger: logger)
    } catch {
      try? await group.shutdownGracefully()
      if options.folder == nil { try? FileManager.default.removeItem(atPath: folder) }
      throw error
    }
  }

  private init(
    _ options: EmulatorOptions, folder: String, group: MultiThreadedEventLoopGroup, logger: Logger
  ) async throws {
    let loop = group.next()
    let box = ServerBox()
    // Bound first: the address is part of what the services answer. Nobody can connect before `box` is filled, for the
    // first connection is taken on the same loop.
    let listener = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.autoRead, value: false)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          guard let server = box.server else { throw ChannelError.ioOnClosedChannel }
          try channel.pipeline.syncOperations.addHandler(HTTPHandler(server: server))
        }
      }
      .bind(host: "127.0.0.1", port: options.port).get()
    let port = listener.localAddress?.port ?? options.port
    let door = FrontDoor(secret: FrontDoor.makeSecret())
    let address = "127.0.0.1:\(port)/\(door.secret)"
    let machineFolder = "\(folder)/machines"
    let services = HostServices(address: "http://127.0.0.1:\(port)", folder: machineFolder) { account, _ in
      guard let server = box.server else { return AccessToken(value: "", expiresAt: .distantPast) }
      return await server.ask { $0.tokens.issue(at: $1, toMachineOf: account) }
    }
    let host: any VirtualMachineHost
    do {
      switch options.machines {
      case .none: host = NoMachines()
      case .host(let make): host = try make(services)
      }
    } catch {
      try? await listener.close()
      throw error
    }
    let server = EmulatorServer(
      loop: loop,
      emulation: EmulatedCloud(
        options: options, address: address, door: door, machineFolder: machineFolder,
        blobs: BlobStore(folder: options.folder.map { "\($0)/buckets" }), key: .ofThisProcess),
      door: door, machines: MachineSupervisor(host: host, logger: logger), logger: logger)
    self.address = address
    self.port = port
    self.folder = folder
    self.isFolderTemporary = options.folder == nil
    self.requiresTokens = options.requiresTokens
    self.group = group
    self.listener = listener
    self.server = server
    try await loop.submit { box.server = server }.get()
    try await listener.setOption(.autoRead, value: true).get()
    let file = await server.ask { emulation, _ in emulation.tokens.serviceAccountFile.data }
    guard
      FileManager.default.createFile(atPath: serviceAccountFile, contents: file, attributes: [.posixPermissions: 0o600])
    else {
      throw CocoaError(.fileWriteUnknown)
    }
  }

  /// Only touched on the event loop.
  private final class ServerBox: @unchecked Sendable { var server: EmulatorServer? }

  private static func makeFolder(_ asked: String?) throws -> String {
    let folder = asked ?? NSTemporaryDirectory() + "dagrun-emulator-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let whole = URL(fileURLWithPath: folder).path
    try FileManager.default.createDirectory(atPath: whole + "/machines", withIntermediateDirectories: true)
    return whole
  }

  /// Credentials that its token endpoint accepts, for `GOOGLE_APPLICATION_CREDENTIALS`.
  package var serviceAccountFile: String { "\(folder)/service-account.json" }

  /// What Google's tools and dagrun must have in their environment to come here.
  package var environment: [String: String] {
    // With an emulator's own variables no client sends a token.
    let proof =
      requiresTokens
      ? ["GOOGLE_APPLICATION_CREDENTIALS": serviceAccountFile]
      : ["PUBSUB_EMULATOR_HOST": address, "STORAGE_EMULATOR_HOST": "http://\(address)"]
    return [
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": "http://\(address)/compute/v1/",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": "http://\(address)/",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": "http://\(address)/storage/v1/",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER": "http://\(address)/",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": "http://\(address)/",
    ].merging(proof) { $1 }
  }

  package func inventory() async -> Inventory { await server.ask { emulation, _ in emulation.inventory } }

  /// Of each VM that was ever RUNNING, what it is charged for.
  package func billing() async -> [BillingRow] { await server.ask { emulation, _ in emulation.compute.bills.rows } }

  /// Waits until the cloud is so.
  ///
  /// - Returns: nil when the task is cancelled before.
  package func inventory(when isSo: @escaping @Sendable (Inventory) -> Bool) async -> Inventory? {
    await server.ask { emulation in
      let inventory = emulation.inventory
      return isSo(inventory) ? inventory : nil
    }
  }

  /// - Returns: the rule's id.
  @discardableResult
  package func addFault(_ rule: FaultRule) async -> String {
    await server.ask { emulation, _ in emulation.compute.faults.add(rule) }
  }

  /// Nil: all of them.
  package func removeFault(_ id: String?) async {
    _ = await server.ask { emulation, _ in emulation.compute.faults.remove(id) }
  }

  /// Notice, grace, end. False: there is no such RUNNING instance.
  @discardableResult
  package func preempt(instance name: String, graceSeconds: Double? = nil) async -> Bool {
    await server.ask { $0.compute.preempt(instance: name, graceSeconds: graceSeconds, at: $1) }
  }

  /// Every token is void from now on: clients are answered 401 until they have new ones.
  package func revokeTokens() async { await server.ask { emulation, _ in emulation.tokens.revokeAll() } }

  /// As a VM's metadata server hands out.
  package func issueToken() async -> AccessToken { await server.ask { $0.tokens.issue(at: $1) } }

  /// Refuses new connections, ends held requests and all VMs, removes what it has kept in a temporary folder.
  package func stop() async {
    try? await listener.close()
    await server.stop()
    try? await group.shutdownGracefully()
    if isFolderTemporary { try? FileManager.default.removeItem(atPath: folder) }
  }
}
