internal import CCurl
internal import Dispatch
internal import Foundation

/// libcurl's multi interface, driven by events: curl says which sockets and which time it waits for; one Dispatch
/// source and one timer wake it. Confined to `queue`, also curl's callbacks, which only note what is asked of them.
///
/// closed -> open, by the first request; open -> closed, when the client is gone and nothing is in flight.
final class CurlLoop: @unchecked Sendable {
  private let queue = DispatchQueue(label: "dagrun.http")
  private let options: HTTPClientOptions
  private var machinery: MultiHandle?
  private var running: [UnsafeMutableRawPointer: Transfer] = [:]
  private var openFiles = OpenFileLimit()
  /// Nobody will start another transfer but those on their way here.
  private var isClosing = false

  private struct MultiHandle {
    let multi: UnsafeMutableRawPointer
    /// One descriptor for all of curl's sockets.
    let sockets: Int32
    let source: any DispatchSourceRead
    let timer: any DispatchSourceTimer
    var spareHandles: [UnsafeMutableRawPointer] = []
  }

  init(_ options: HTTPClientOptions) { self.options = options }

  // MARK: - From any thread

  func start(_ transfer: Transfer, finish: @escaping Transfer.Finish) {
    queue.async { self.begin(transfer, finish) }
  }

  func cancel(_ transfer: Transfer) {
    queue.async {
      switch transfer.phase {
      case .created: transfer.phase = .ended
      case .running(let easy, _, _):
        self.end(easy, .failure(HTTPFailure(.cancelled, "cancelled", mayHaveBeenSent: self.requestBytes(easy) > 0)))
      case .ended: break
      }
    }
  }

  func close() {
    queue.async {
      self.isClosing = true
      self.closeIfIdle()
    }
  }

  // MARK: - Transfers

  private func begin(_ transfer: Transfer, _ finish: @escaping Transfer.Finish) {
    dispatchPrecondition(condition: .onQueue(queue))
    switch transfer.phase {
    case .created: break
    case .ended: return finish(.failure(HTTPFailure(.cancelled, "cancelled")))
    case .running: preconditionFailure("a transfer was started twice")
    }
    do throws(HTTPFailure) {
      if let fault = Transfer.fault(in: transfer.request) { throw fault }
      openFiles.makeRoom(forSockets: running.count + 1)
      try open()
      let easy = try takeHandle()
      do throws(HTTPFailure) {
        let headers = try transfer.configure(easy, options)
        running[easy] = transfer
        transfer.phase = .running(easy: easy, headers: headers, finish: finish)
      } catch {
        giveBack(easy)
        throw error
      }
      let code = ccurl_multi_add(machinery!.multi, easy)
      // The others are under way, and none of them is the worse for it.
      guard code == CURLM_OK else {
        return end(easy, .failure(HTTPFailure(.lost, "cannot send: \(CurlLibrary.text(code))", mayHaveBeenSent: false)))
      }
      if transfer.mayWaitForOthers { watch(transfer) }
    } catch {
      transfer.phase = .ended
      finish(.failure(error))
      closeIfIdle()
    }
  }

  /// curl forgets the timeout of a request that waits for another's handshake: it would last as long as the other's.
  private func watch(_ transfer: Transfer) {
    queue.asyncAfter(deadline: .now() + transfer.request.timeoutSeconds + 0.05) { [weak self, weak transfer] in
      guard let self, let transfer, case .running(let easy, _, _) = transfer.phase else { return }
      end(easy, transfer.result(CURLE_OPERATION_TIMEDOUT, mayHaveBeenSent: requestBytes(easy) > 0))
    }
  }

  private func end(_ easy: UnsafeMutableRawPointer, _ result: Result<HTTPResponse, HTTPFailure>) {
    dispatchPrecondition(condition: .onQueue(queue))
    guard let transfer = running.removeValue(forKey: easy), case .running(_, let headers, let finish) = transfer.phase
    else { preconditionFailure("a transfer ended twice") }
    transfer.phase = .ended
    _ = ccurl_multi_remove(machinery!.multi, easy)
    giveBack(easy)
    ccurl_list_free(headers)
    finish(result)
    closeIfIdle()
  }

  private func endThoseDone() {
    var code = CURLE_OK
    while let multi = machinery?.multi, let easy = ccurl_multi_next_done(multi, &code) {
      guard let transfer = running[easy] else { continue }
      end(easy, transfer.result(code, mayHaveBeenSent: requestBytes(easy) > 0))
    }
  }

  /// curl cannot continue: out of memory or of descriptors. Whoever waits must not wait for ever.
  private func check(_ code: CURLMcode) {
    if code == CURLM_OK || code == CURLM_BAD_SOCKET { return }
    for easy in Array(running.keys) {
      end(
        easy, .failure(HTTPFailure(.lost, "libcurl stopped: \(CurlLibrary.text(code))", mayHaveBeenSent: true)))
    }
  }

  private func requestBytes(_ easy: UnsafeMutableRawPointer) -> Int {
    var count = 0
    _ = ccurl_easy_get_long(easy, CURLINFO_REQUEST_SIZE, &count)
    return count
  }

  // MARK: - Handles

  private func takeHandle() throws(HTTPFailure) -> UnsafeMutableRawPointer {
    if let spare = machinery?.spareHandles.popLast() { return spare }
    guard let easy = ccurl_easy_create() else { throw HTTPFailure(.unusable, "cannot send: out of memory") }
    return easy
  }

  /// Some are kept: making one costs more than a short request.
  private func giveBack(_ easy: UnsafeMutableRawPointer) {
    ccurl_easy_reset(easy)
    if machinery != nil, machinery!.spareHandles.count < 32 {
      machinery!.spareHandles.append(easy)
    } else {
      ccurl_easy_destroy(easy)
    }
  }

  // MARK: - What wakes curl

  private func open() throws(HTTPFailure) {
    if machinery != nil { return }
    try CurlLibrary.shared.get()
    let sockets = ccurl_sockets_create()
    if sockets < 0 { throw HTTPFailure(.unusable, "cannot wait for sockets: \(String(cString: strerror(errno)))") }
    guard let multi = ccurl_multi_create() else {
      Glibc.close(sockets)
      throw HTTPFailure(.unusable, "cannot send: out of memory")
    }
    let source = DispatchSource.makeReadSource(fileDescriptor: sockets, queue: queue)
    let timer = DispatchSource.makeTimerSource(queue: queue)
    // They hold the loop until it closes: curl calls back to it by a plain pointer.
    source.setEventHandler { self.socketsAreReady() }
    source.setCancelHandler { Glibc.close(sockets) }
    timer.setEventHandler { self.timeIsUp() }
    timer.schedule(deadline: .distantFuture)
    let context = Unmanaged.passUnretained(self).toOpaque()
    _ = ccurl_multi_set_socket_function(multi, socketFunction, context)
    _ = ccurl_multi_set_timer_function(multi, timerFunction, context)
    _ = ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
    machinery = MultiHandle(multi: multi, sockets: sockets, source: source, timer: timer)
    source.activate()
    timer.activate()
  }

  private func closeIfIdle() {
    guard isClosing, running.isEmpty, let machinery else { return }
    for easy in machinery.spareHandles { ccurl_easy_destroy(easy) }
    // Closes the connections, which still calls back.
    _ = ccurl_multi_destroy(machinery.multi)
    machinery.timer.cancel()
    machinery.source.cancel()
    self.machinery = nil
  }

  private func socketsAreReady() {
    dispatchPrecondition(condition: .onQueue(queue))
    var ready = [curl_socket_t](repeating: 0, count: 64)
    var events = [Int32](repeating: 0, count: 64)
    // What is still ready after so many rounds wakes the source again; timers and cancellations get their turn.
    for _ in 0..<16 {
      guard let machinery else { return }
      let count = ccurl_sockets_ready(machinery.sockets, &ready, &events, 64)
      if count <= 0 { return }
      for index in 0..<Int(count) {
        guard let multi = self.machinery?.multi else { return }
        check(ccurl_multi_socket_action(multi, ready[index], events[index]))
      }
      endThoseDone()
      if count < 64 { return }
    }
  }

  private func timeIsUp() {
    dispatchPrecondition(condition: .onQueue(queue))
    guard let multi = machinery?.multi else { return }
    check(ccurl_multi_socket_action(multi, curl_socket_t(CCURL_TIMEOUT), 0))
    endThoseDone()
  }

  // MARK: - curl's callbacks: they only note, for curl must not be called from within

  fileprivate func socketChanged(_ socket: curl_socket_t, _ what: Int32) -> Int32 {
    dispatchPrecondition(condition: .onQueue(queue))
    return machinery.map { ccurl_sockets_set($0.sockets, socket, what) } ?? 0
  }

  fileprivate func timerChanged(_ milliseconds: Int) {
    dispatchPrecondition(condition: .onQueue(queue))
    machinery?.timer.schedule(deadline: milliseconds < 0 ? .distantFuture : .now() + .milliseconds(milliseconds))
  }
}

private func socketFunction(
  _ easy: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ what: Int32, _ context: UnsafeMutableRawPointer?,
  _ unused: UnsafeMutableRawPointer?
) -> Int32 {
  guard let context else { return -1 }
  return Unmanaged<CurlLoop>.fromOpaque(context).takeUnretainedValue().socketChanged(socket, what)
}

private func timerFunction(
  _ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
  guard let context else { return -1 }
  Unmanaged<CurlLoop>.fromOpaque(context).takeUnretainedValue().timerChanged(milliseconds)
  return 0
}
