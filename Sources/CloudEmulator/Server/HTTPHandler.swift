internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// One connection: requests come one after the other, each answered before the next is read
/// (HTTPServerPipelineHandler).
final class HTTPHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// More is refused: nothing that Google takes in one request is larger, and memory is ours.
  static let bodyLimit = 512 << 20
  /// Of a request that has not shown yet that it may come in.
  static let unprovenBodyLimit = 1 << 20

  private let server: EmulatorServer
  private var head: HTTPRequestHead?
  private var verdict: FrontDoor.Verdict?
  private var body: ByteBuffer?
  private var pending: RequestID?

  init(server: EmulatorServer) { self.server = server }

  func channelActive(context: ChannelHandlerContext) {
    server.opened(context.channel)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    server.closed(context.channel)
    if let pending { server.abandon(pending) }
    pending = nil
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body = nil
      verdict = server.judge(head)
      if case .closed = verdict { return }
      if head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
        context.writeAndFlush(
          wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: .continue))), promise: nil)
      }
    case .body(var part):
      let limit: Int
      switch verdict {
      case .open: limit = Self.bodyLimit
      case .batch: limit = Self.unprovenBodyLimit
      // Read to its end, so that the refusal is read, and not kept.
      case .closed, nil: return
      }
      if body == nil { body = part } else { body?.writeBuffer(&part) }
      if (body?.readableBytes ?? 0) > limit { context.close(promise: nil) }
    case .end:
      guard let head, let verdict else { return }
      self.head = nil
      switch verdict {
      case .open(let target): receive(head, target, isProven: true, context: context)
      case .batch(let target): receive(head, target, isProven: false, context: context)
      case .closed(let failure):
        answer(failure.response, isKeptAlive: false, isHead: head.method == .HEAD, context: context)
      }
    }
  }

  private func receive(
    _ head: HTTPRequestHead, _ target: String, isProven: Bool, context: ChannelHandlerContext
  ) {
    var headers: [String: String] = [:]
    for (name, value) in head.headers { headers[name.lowercased()] = value }
    let data = body.map { Data($0.readableBytesView) } ?? Data()
    body = nil
    var request = APIRequest(
      headers["x-http-method-override"] ?? head.method.rawValue, target, headers: headers, body: data)
    request.isProven = isProven
    let channel = NIOLoopBound(context, eventLoop: context.eventLoop)
    let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
    let isKeptAlive = head.isKeepAlive
    let isHead = head.method == .HEAD
    // The answer may come before `receive` returns.
    var isAnswered = false
    let state = NIOLoopBoundBox(false, eventLoop: context.eventLoop)
    let id = server.receive(request) { response in
      state.value = true
      handler.value.pending = nil
      handler.value.answer(response, isKeptAlive: isKeptAlive, isHead: isHead, context: channel.value)
    }
    isAnswered = state.value
    if !isAnswered { pending = id }
  }

  private func answer(_ response: APIResponse?, isKeptAlive: Bool, isHead: Bool, context: ChannelHandlerContext) {
    guard context.channel.isActive, let response else { return context.close(promise: nil) }
    var head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: response.status))
    for (name, value) in response.headers.sorted(by: { $0.key < $1.key }) { head.headers.add(name: name, value: value) }
    if response.status != 204 { head.headers.replaceOrAdd(name: "Content-Length", value: String(response.body.count)) }
    if !isKeptAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if !response.body.isEmpty, !isHead {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil)
    }
    if isKeptAlive {
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    } else {
      let context = NIOLoopBound(context, eventLoop: context.eventLoop)
      self.writeEnd(context)
    }
  }

  private func writeEnd(_ context: NIOLoopBound<ChannelHandlerContext>) {
    context.value.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in context.value.close(promise: nil) }
  }
}
