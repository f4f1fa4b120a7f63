import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

@testable import CloudEmulator

/// Talks to an emulator that runs in another process: its own endpoints, and any other request.
struct EmulatorClient: Sendable {
  let host: String
  let port: Int
  /// `/SECRET`, put before every target.
  let prefix: String

  struct Answer: Sendable {
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: Data
  }

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// - Parameter address: `127.0.0.1:8085/SECRET`, also with `http://` before it.
  init(address: String) throws(Failure) {
    let pieces = address.replacing("http://", with: "").split(separator: "/", maxSplits: 1)
    let parts = (pieces.first ?? "").split(separator: ":")
    guard parts.count == 2, let port = Int(parts[1]) else {
      throw Failure(description: "'\(address)' is not an address of an emulator: it looks like 127.0.0.1:8085")
    }
    host = String(parts[0])
    self.port = port
    prefix = pieces.count > 1 ? "/\(pieces[1])" : ""
  }

  func inventory() async throws -> Inventory {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    return try decoder.decode(Inventory.self, from: try await own("GET", "/emulator/inventory"))
  }

  /// - Parameter script: rules, as in a file.
  /// - Returns: their ids.
  func addFaults(_ script: Data) async throws -> [String] {
    struct Added: Decodable { var ids: [String] }
    return try JSONDecoder().decode(
      Added.self, from: try await own("POST", "/emulator/faults", script, "application/yaml")
    ).ids
  }

  /// Nil: all of them.
  func removeFault(_ id: String?) async throws {
    _ = try await own("DELETE", "/emulator/faults" + (id.map { "/\($0)" } ?? ""))
  }

  func preempt(instance name: String, graceSeconds: Double? = nil) async throws {
    _ = try await own("POST", "/emulator/preempt/\(name)" + (graceSeconds.map { "?grace=\($0)" } ?? ""))
  }

  private func own(
    _ method: String, _ target: String, _ body: Data = Data(), _ type: String = "application/json"
  ) async throws -> Data {
    let answer: Answer
    do {
      answer = try await send(method, target, headers: ["Content-Type": type], body: body)
    } catch {
      throw Failure(description: "no emulator answers at \(host):\(port): start one with `dagrun emulator`")
    }
    guard answer.status == 200 else {
      let message = (try? JSON(parsing: answer.body))?["error"]["message"].text
      throw Failure(description: "the emulator refuses: \(message ?? "HTTP status \(answer.status)")")
    }
    return answer.body
  }

  /// One request over a connection of its own, below the secret. A body is JSON unless the headers say what it is.
  /// - Throws: where the connection is closed without an answer, too.
  func send(
    _ method: String, _ target: String, headers: [String: String] = [:], body: Data = Data()
  ) async throws -> Answer {
    var own = ["Host": "\(host):\(port)"]
    if !body.isEmpty { own["Content-Type"] = "application/json" }
    let all = own.merging(headers) { $1 }
    return try await sendExactly(method, prefix + target, headers: all.map { ($0.key, $0.value) }, body: body)
  }

  /// As it is given.
  func sendExactly(
    _ method: String, _ target: String, headers: [(String, String)], body: Data = Data()
  ) async throws -> Answer {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let promise = loop.makePromise(of: Answer.self)
    let channel: any Channel
    do {
      channel = try await connect(loop, promise)
    } catch {
      promise.fail(error)
      throw error
    }
    var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method), uri: target)
    for (name, value) in headers { head.headers.add(name: name, value: value) }
    head.headers.add(name: "Content-Length", value: String(body.count))
    head.headers.add(name: "Connection", value: "close")
    let written = head
    loop.execute {
      channel.write(HTTPClientRequestPart.head(written), promise: nil)
      if !body.isEmpty { channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil) }
      channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }
    return try await withTaskCancellationHandler {
      defer { channel.close(promise: nil) }
      return try await promise.futureResult.get()
    } onCancel: {
      channel.close(promise: nil)
    }
  }

  private func connect(_ loop: any EventLoop, _ promise: EventLoopPromise<Answer>) async throws -> any Channel {
    try await ClientBootstrap(group: loop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          try channel.pipeline.syncOperations.addHandler(AnswerHandler(promise: promise))
        }
      }
      .connect(host: host, port: port).get()
  }

  private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    private let promise: EventLoopPromise<Answer>
    private var answer = Answer(status: 0, headers: [:], body: Data())
    private var isDone = false

    init(promise: EventLoopPromise<Answer>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head):
        answer.status = Int(head.status.code)
        for (name, value) in head.headers { answer.headers[name.lowercased()] = value }
      case .body(let part): answer.body.append(contentsOf: part.readableBytesView)
      case .end:
        isDone = true
        promise.succeed(answer)
      }
    }

    func channelInactive(context: ChannelHandlerContext) {
      if !isDone { promise.fail(ChannelError.eof) }
      isDone = true
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      if !isDone { promise.fail(error) }
      isDone = true
      context.close(promise: nil)
    }
  }
}
