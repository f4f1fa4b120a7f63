package import Dispatch
internal import Foundation
internal import Glibc
package import Model
package import Processes

/// Takes requests on the home's socket: a connection carries one request and its answers.
///
/// Confined to the engine's queue.
package final class ControlServer: @unchecked Sendable {
  private let queue: DispatchQueue
  private let home: Home
  private let handler: (ControlRequest, ControlConnection) -> Void
  private let source: any DispatchSourceRead
  private let identity: FileIdentity?
  private var connections: [ObjectIdentifier: ControlConnection] = [:]

  /// - Parameter handler: called on `queue`; answers through the connection, now or later.
  package init(
    home: Home, queue: DispatchQueue, handler: @escaping (ControlRequest, ControlConnection) -> Void
  ) throws(SystemError) {
    self.queue = queue
    self.home = home
    self.handler = handler
    let listener = try ControlSocket.listen(in: home)
    identity = FileIdentity(home.socketPath)
    _ = fcntl(listener, F_SETFL, O_NONBLOCK)
    source = DispatchSource.makeReadSource(fileDescriptor: listener, queue: queue)
    source.setEventHandler { [weak self] in self?.accept(listener) }
    source.setCancelHandler { close(listener) }
    source.resume()
  }

  /// Takes no further requests and drops those that wait for an answer.
  package func stop() {
    dispatchPrecondition(condition: .onQueue(queue))
    // Not that of another scheduler, where the home was replaced.
    if let identity, FileIdentity(home.socketPath) == identity { unlink(home.socketPath) }
    source.cancel()
    for connection in connections.values { connection.close() }
  }

  /// Without a free descriptor the connection stays where it is, and would be reported without end.
  private func pauseAccepting() {
    source.suspend()
    queue.asyncAfter(deadline: .now() + 0.1) { [self] in source.resume() }
  }

  private func accept(_ listener: Int32) {
    dispatchPrecondition(condition: .onQueue(queue))
    while true {
      let descriptor = retrying { Glibc.accept(listener, nil, nil) }
      guard descriptor >= 0 else {
        if errno == EMFILE || errno == ENFILE { pauseAccepting() }
        return
      }
      _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      let connection = ControlConnection(descriptor, queue: queue, handler: handler)
      let name = ObjectIdentifier(connection)
      connections[name] = connection
      connection.closed = { [weak self] in self?.connections[name] = nil }
      connection.open()
    }
  }
}

/// One client of the server. Confined to the engine's queue; a client that does not read never holds the engine up.
package final class ControlConnection: @unchecked Sendable {
  /// Answers that a client has not read yet; one that lets so much pile up is dropped.
  static let unreadLimitBytes = 64 << 20
  /// One answer; a longer one is refused in its place.
  static let answerLimitBytes = 32 << 20
  /// One request.
  static let requestLimitBytes = 1 << 20

  private let descriptor: Int32
  private let queue: DispatchQueue
  private let handler: (ControlRequest, ControlConnection) -> Void
  private let reader: any DispatchSourceRead
  private let writer: any DispatchSourceWrite
  private var received = LineBuffer(limitBytes: requestLimitBytes)
  private var unsent: [UInt8] = []
  /// How much of it has gone.
  private var sentCount = 0
  /// The client is told why, and then hung up on.
  private var closesWhenSent = false
  private var isWriterResumed = false
  private(set) var isClosed = false
  private var openSources = 2
  fileprivate var closed: () -> Void = {}
  /// Called once, when the client has gone: nobody wants further answers.
  package var onClose: () -> Void = {}

  fileprivate init(
    _ descriptor: Int32, queue: DispatchQueue, handler: @escaping (ControlRequest, ControlConnection) -> Void
  ) {
    self.descriptor = descriptor
    self.queue = queue
    self.handler = handler
    reader = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    writer = DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue)
  }

  fileprivate func open() {
    reader.setEventHandler { [weak self] in self?.receive() }
    writer.setEventHandler { [weak self] in self?.send() }
    // The descriptor may be given away only when neither source looks at it any more.
    let released: () -> Void = { [self] in
      openSources -= 1
      if openSources == 0 { Glibc.close(descriptor) }
    }
    reader.setCancelHandler(handler: released)
    writer.setCancelHandler(handler: released)
    reader.resume()
  }

  package func reply(_ reply: ControlReply) {
    dispatchPrecondition(condition: .onQueue(queue))
    guard !isClosed, !closesWhenSent else { return }
    var line = ControlLine.encode(reply)
    if line.count > Self.answerLimitBytes {
      line = ControlLine.encode(
        ControlReply.refused(
          ControlError(
            .invalid,
            "the answer has \(line.count >> 20) MB, and at most \(Self.answerLimitBytes >> 20) can be given; ask for less, "
              + "as for a shorter range of dates")))
    }
    unsent.removeFirst(sentCount)
    sentCount = 0
    unsent += line
    send()
  }

  func close() {
    dispatchPrecondition(condition: .onQueue(queue))
    guard !isClosed else { return }
    isClosed = true
    // A suspended source cannot be cancelled for good.
    if !isWriterResumed { writer.resume() }
    reader.cancel()
    writer.cancel()
    closed()
    onClose()
  }

  private func receive() {
    guard !closesWhenSent else { return discard() }
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    // A client that sends without end does not keep the queue: the source reports the rest again.
    for _ in 0..<16 {
      let count = retrying { read(descriptor, &chunk, chunk.count) }
      if count < 0 && errno == EAGAIN { break }
      guard count > 0 else { return close() }
      received.append(chunk[..<count])
      guard answerLines() else { return }
    }
  }

  /// - Returns: whether the client is listened to any longer.
  private func answerLines() -> Bool {
    do {
      while let line = try received.next() {
        guard !isClosed else { return false }
        answer(line)
      }
      return !isClosed
    } catch {
      reply(
        .refused(
          ControlError(
            .invalid,
            "the request has more than \(Self.requestLimitBytes >> 20) MB, which no request needs; is the conf so long?"
          )))
      closesWhenSent = true
      if !isClosed { send() }
      return false
    }
  }

  private func answer(_ line: Data) {
    let request: ControlRequest
    do { request = try JSONDecoder().decode(ControlRequest.self, from: line) } catch {
      return reply(
        .refused(
          ControlError(.invalid, "the scheduler does not know this request; is it of another version of dagrun?")))
    }
    handler(request, self)
  }

  /// What a refused client still sends is read: closed with bytes unread, the socket would lose the refusal.
  private func discard() {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    for _ in 0..<16 {
      let count = retrying { read(descriptor, &chunk, chunk.count) }
      if count < 0 && errno == EAGAIN { return }
      guard count > 0 else { return close() }
    }
  }

  private func send() {
    while !isClosed && sentCount < unsent.count {
      let count = unsent[sentCount...].withUnsafeBytes { bytes in
        retrying { Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)) }
      }
      if count < 0 {
        if errno == EAGAIN && unsent.count - sentCount <= Self.unreadLimitBytes { return awaitRoom(true) }
        return close()
      }
      sentCount += count
    }
    guard !isClosed else { return }
    unsent = []
    sentCount = 0
    // The client hangs up when it has read that.
    if closesWhenSent { shutdown(descriptor, Int32(SHUT_WR)) }
    awaitRoom(false)
  }

  private func awaitRoom(_ isNeeded: Bool) {
    guard isNeeded != isWriterResumed else { return }
    isWriterResumed = isNeeded
    if isNeeded { writer.resume() } else { writer.suspend() }
  }
}
