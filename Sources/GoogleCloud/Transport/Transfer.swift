internal import CCurl
internal import Foundation

/// A request on its way, and what has come of its answer. Everything here belongs to the loop's queue.
///
/// created -> running -> ended, or created -> ended. `finish` is called exactly once.
final class Transfer: @unchecked Sendable {
  let request: HTTPRequest
  var phase = Phase.created
  private(set) var answer = Answer()
  /// Why the callbacks below stopped the transfer.
  private(set) var refusal: HTTPFailure?
  /// curl's own words, more exact than the text of its code.
  let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  enum Phase {
    case created
    case running(easy: UnsafeMutableRawPointer, headers: UnsafeMutablePointer<curl_slist>?, finish: Finish)
    case ended
  }

  typealias Finish = @Sendable (Result<HTTPResponse, HTTPFailure>) -> Void

  struct Answer {
    var status = 0
    var version = 0
    var headers: [String: String] = [:]
    var body = Data()
    var writtenBytes: Int64 = 0
  }

  init(_ request: HTTPRequest) {
    self.request = request
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit { errorText.deallocate() }

  /// A line of the head: a status, a header, or the empty one at the end. An interim answer (100) is followed by
  /// another.
  func headerLine(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var line = bytes[...]
    while let last = line.last, last == 13 || last == 10 { line.removeLast() }
    if line.starts(with: "HTTP/".utf8) {
      let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
      answer = Answer()
      answer.status = words.count > 1 ? Int(String(decoding: words[1], as: UTF8.self)) ?? 0 : 0
      let digits = words[0].dropFirst(5).filter { $0 != UInt8(ascii: ".") }
      let number = Int(String(decoding: digits, as: UTF8.self)) ?? 0
      answer.version = number < 10 ? number * 10 : number
      return true
    }
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return true }
    let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
    let value = String(decoding: line[(colon + 1)...], as: UTF8.self).trimmingCharacters(in: .whitespaces)
    answer.headers[name] = answer.headers[name].map { "\($0), \(value)" } ?? value
    guard name == "content-length", let length = Int(value), length > request.limitBytes, answer.status != 304 else {
      return true
    }
    return refuse(.tooLong, "the answer has \(length) bytes, more than \(request.limitBytes)")
  }

  func bodyBytes(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let total = Int64(answer.body.count) + answer.writtenBytes + Int64(bytes.count)
    if total > Int64(request.limitBytes) {
      return refuse(.tooLong, "the answer has more than \(request.limitBytes) bytes")
    }
    guard case .file(let descriptor, let offset) = request.sink, (200..<300).contains(answer.status) else {
      answer.body.append(contentsOf: bytes)
      return true
    }
    // The queue waits for the disk: a page cache takes a buffer's worth faster than a queue could hand it on.
    var rest = bytes
    while !rest.isEmpty {
      let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + answer.writtenBytes))
      if count < 0 {
        if errno == EINTR { continue }
        return refuse(.notWritten, "cannot write the answer to its file: \(String(cString: strerror(errno)))")
      }
      answer.writtenBytes += Int64(count)
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return true
  }

  private func refuse(_ kind: HTTPFailure.Kind, _ message: String) -> Bool {
    refusal = HTTPFailure(kind, message, mayHaveBeenSent: true)
    return false
  }
}
