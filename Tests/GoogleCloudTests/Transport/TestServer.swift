import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server on loopback whose answers a test scripts: at once, later, in part, or never.
final class TestServer: Sendable {
  struct Request: Sendable {
    var method: String
    var uri: String
    var headers: [String: String]
    var body: String
  }

  let port: Int
  private let channel: any Channel
  private let log: Log
  /// One thread for all servers of all tests.
  private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  private final class Log: Sendable {
    let requests = Mutex<[Request]>([])
    let connections = Mutex<[any Channel]>([])
  }

  init(_ handler: @escaping @Sendable (Request, Reply) -> Void) async throws {
    let log = Log()
    channel = try await ServerBootstrap(group: Self.group)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        log.connections.withLock { $0.append(channel) }
        return channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
          let recording = Handler { request, reply in
            log.requests.withLock { $0.append(request) }
            handler(request, reply)
          }
          try channel.pipeline.syncOperations.addHandler(recording)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    self.log = log
    port = channel.localAddress!.port!
  }

  var requests: [Request] { log.requests.withLock { $0 } }
  var connections: Int { log.connections.withLock { $0.count } }
  func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

  /// Takes no more connections, and closes those there are.
  func stop() async {
    try? await channel.close()
    for connection in log.connections.withLock({ $0 }) { try? await connection.close() }
  }

  /// How one request is answered; may be kept and used later.
  struct Reply: Sendable {
    let channel: any Channel

    func send(_ status: Int, _ body: String = "", headers: [String: String] = [:]) {
      head(status, headers.merging(["content-length": "\(body.utf8.count)"]) { given, _ in given })
      channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: body))), promise: nil)
      channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
    }

    /// A chunked answer of which only a part is sent.
    func begin(_ status: Int, _ body: String) {
      head(status, ["transfer-encoding": "chunked"])
      channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: body))), promise: nil)
    }

    func drop() { channel.close(promise: nil) }

    /// Calls back when the client is gone.
    func whenClosed(_ body: @escaping @Sendable () -> Void) { channel.closeFuture.whenComplete { _ in body() } }

    private func head(_ status: Int, _ headers: [String: String]) {
      let fields = HTTPHeaders(headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
      let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: fields)
      channel.write(HTTPServerResponsePart.head(head), promise: nil)
    }
  }

  private final class Handler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let handle: @Sendable (Request, Reply) -> Void
    private var request: Request?

    init(_ handle: @escaping @Sendable (Request, Reply) -> Void) { self.handle = handle }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head):
        let headers = head.headers.map { ($0.name.lowercased(), $0.value) }
        request = Request(
          method: head.method.rawValue, uri: head.uri, headers: Dictionary(headers) { "\($0), \($1)" }, body: "")
      case .body(let bytes): request?.body += String(buffer: bytes)
      case .end:
        guard let done = request else { return }
        request = nil
        handle(done, Reply(channel: context.channel))
      }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }
}

/// Runs the body with a server that lives as long.
func withServer<Result>(
  _ handler: @escaping @Sendable (TestServer.Request, TestServer.Reply) -> Void,
  _ body: (TestServer) async throws -> Result
) async throws -> Result {
  let server = try await TestServer(handler)
  do {
    let result = try await body(server)
    await server.stop()
    return result
  } catch {
    await server.stop()
    throw error
  }
}

/// Something that happens once, or several times, and is waited for.
struct Occurrences: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func happened() { continuation.yield() }

  func wait(for count: Int = 1) async {
    var left = count
    if left == 0 { return }
    for await _ in stream {
      left -= 1
      if left == 0 { return }
    }
  }
}
