internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// The metadata server of one VM, on a port of its own.
final class MetadataServer: Sendable {
  typealias IssueToken = @Sendable (_ serviceAccount: String, _ scopes: [String]) async -> MachineToken

  /// `127.0.0.1:PORT`
  let address: String
  private let channel: any Channel
  private let state: MetadataState

  /// - Parameter identity: whose processes may ask; nobody else on this machine.
  static func start(
    _ metadata: InstanceMetadata, identity: MachineIdentity, issueToken: @escaping IssueToken
  ) throws -> MetadataServer {
    let state = MetadataState(metadata)
    let channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 64)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(MetadataHandler(state, identity, issueToken))
        }
      }
      .bind(host: "127.0.0.1", port: 0).wait()
    return MetadataServer(channel, state)
  }

  private init(_ channel: any Channel, _ state: MetadataState) {
    self.channel = channel
    self.state = state
    address = "127.0.0.1:\(channel.localAddress?.port ?? 0)"
  }

  /// Who waits for a change is answered.
  func update(_ change: @Sendable (inout InstanceMetadata) -> Void) { state.update(change) }

  /// Refuses connections; those that are open end.
  func stop() {
    channel.close(promise: nil)
    state.stop()
  }
}

/// The values, and who waits for them to change.
final class MetadataState: Sendable {
  private struct Shared {
    var metadata: InstanceMetadata
    var waiters: [ObjectIdentifier: @Sendable () -> Void] = [:]
    var connections: [ObjectIdentifier: any Channel] = [:]
  }
  private let shared: Mutex<Shared>

  init(_ metadata: InstanceMetadata) { shared = Mutex(Shared(metadata: metadata)) }

  var metadata: InstanceMetadata { shared.withLock { $0.metadata } }

  func update(_ change: @Sendable (inout InstanceMetadata) -> Void) {
    let waiters = shared.withLock { shared in
      change(&shared.metadata)
      return Array(shared.waiters.values)
    }
    for waiter in waiters { waiter() }
  }

  func add(_ channel: any Channel, whenChanged: @escaping @Sendable () -> Void) {
    shared.withLock {
      $0.waiters[ObjectIdentifier(channel)] = whenChanged
      $0.connections[ObjectIdentifier(channel)] = channel
    }
  }

  func remove(_ channel: any Channel) {
    shared.withLock {
      $0.waiters[ObjectIdentifier(channel)] = nil
      $0.connections[ObjectIdentifier(channel)] = nil
    }
  }

  func stop() { for channel in shared.withLock({ Array($0.connections.values) }) { channel.close(promise: nil) } }
}

private final class MetadataHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let state: MetadataState
  private let identity: MachineIdentity
  private let issueToken: MetadataServer.IssueToken
  /// Whether the other end belongs to the VM; nil: not looked at yet.
  private var isOwn: Bool?
  private var head: HTTPRequestHead?
  /// The request that waits for a change, and what it began with.
  private var waiting: (request: MetadataRequest, since: String)?
  private var timeout: Scheduled<Void>?

  init(_ state: MetadataState, _ identity: MachineIdentity, _ issueToken: @escaping MetadataServer.IssueToken) {
    self.state = state
    self.identity = identity
    self.issueToken = issueToken
  }

  func channelActive(context: ChannelHandlerContext) {
    let loop = context.eventLoop
    let bound = NIOLoopBound((self, context), eventLoop: loop)
    state.add(context.channel) { loop.execute { bound.value.0.continueWaiting(bound.value.1, isLate: false) } }
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    state.remove(context.channel)
    timeout?.cancel()
    waiting = nil
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body: break
    case .end:
      guard let head else { return }
      if let refusal = refusal(of: head, context) { return respond(context, refusal) }
      let request = MetadataRequest(
        uri: head.uri, hasFlavor: head.headers["Metadata-Flavor"].contains { $0.lowercased() == "google" },
        isForwarded: head.headers.contains(name: "X-Forwarded-For"))
      guard head.method == .GET || head.method == .HEAD else {
        return respond(context, .init(status: 405, body: "only GET is emulated\n"))
      }
      perform(context, request, MetadataAnswer(request, state.metadata))
    }
  }

  /// A web page, another user, a name that somebody has led here.
  private func refusal(of head: HTTPRequestHead, _ context: ChannelHandlerContext) -> MetadataAnswer.Response? {
    let hosts = head.headers["host"]
    guard hosts.count == 1, MetadataRequest.isOwnHost(hosts[0]) else {
      return .init(status: 421, body: "this is the metadata server of a VM, not \(hosts.first ?? "of nobody")\n")
    }
    if head.headers.contains(name: "origin") || head.headers["sec-fetch-site"].contains(where: { $0 != "none" }) {
      return .init(status: 403, body: "no web pages\n")
    }
    let user = isOwn == nil ? LoopbackPeer.user(of: context.channel) : nil
    let isOwn = isOwn ?? user.map(identity.owns) ?? false
    self.isOwn = isOwn
    return isOwn ? nil : .init(status: 403, body: "only processes of the VM may ask\n")
  }

  private func continueWaiting(_ context: ChannelHandlerContext, isLate: Bool) {
    guard let (request, since) = waiting else { return }
    let answer = MetadataAnswer(request, state.metadata, since: since, isLate: isLate)
    if case .wait = answer { return }
    waiting = nil
    timeout?.cancel()
    perform(context, request, answer)
  }

  private func perform(_ context: ChannelHandlerContext, _ request: MetadataRequest, _ answer: MetadataAnswer) {
    switch answer {
    case .respond(let response): respond(context, response)
    case .wait(let since, let seconds):
      waiting = (request, since)
      guard let seconds else { return }
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      timeout = context.eventLoop.scheduleTask(in: .nanoseconds(Int64(seconds * 1e9))) {
        bound.value.0.continueWaiting(bound.value.1, isLate: true)
      }
    case .token(let scopes): respondWithToken(context, scopes)
    }
  }

  private func respondWithToken(_ context: ChannelHandlerContext, _ scopes: [String]?) {
    let machine = state.metadata.machine
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let (loop, issueToken) = (context.eventLoop, issueToken)
    _Concurrency.Task {
      let token = await issueToken(machine.serviceAccount, scopes ?? machine.scopes)
      loop.execute {
        let seconds = Int(clamp(token.expiresAt.timeIntervalSinceNow, to: 0...86400))
        let body = "{\"access_token\":\"\(token.value)\",\"expires_in\":\(seconds),\"token_type\":\"Bearer\"}"
        bound.value.0.respond(
          bound.value.1, .init(status: 200, body: body, contentType: "application/json"))
      }
    }
  }

  private func respond(_ context: ChannelHandlerContext, _ response: MetadataAnswer.Response) {
    guard let head, context.channel.isActive else { return }
    var headers = HTTPHeaders([
      ("Metadata-Flavor", "Google"), ("Server", "Metadata Server for VM"), ("Content-Type", response.contentType),
      ("Content-Length", String(response.body.utf8.count)),
    ])
    if let tag = response.entityTag { headers.add(name: "ETag", value: tag) }
    if let location = response.location {
      headers.add(name: "Location", value: "http://metadata.google.internal\(location)")
    }
    if !head.isKeepAlive { headers.add(name: "Connection", value: "close") }
    let status = HTTPResponseStatus(statusCode: response.status)
    context.write(wrapOutboundOut(.head(.init(version: head.version, status: status, headers: headers))), promise: nil)
    if head.method != .HEAD {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: response.body)))), promise: nil)
    }
    let isKept = head.isKeepAlive
    let done = context.eventLoop.makePromise(of: Void.self)
    let channel = context.channel
    done.futureResult.whenComplete { _ in if !isKept { channel.close(promise: nil) } }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: done)
  }
}
