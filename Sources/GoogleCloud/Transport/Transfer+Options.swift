internal import CCurl
internal import Foundation

extension Transfer {
  /// Why the request cannot be sent at all.
  static func fault(in request: HTTPRequest) -> HTTPFailure? {
    guard let host = host(of: request.url) else {
      return HTTPFailure(.unusable, "not an http or https address: '\(withoutQuery(request.url))'")
    }
    if host.isEmpty { return HTTPFailure(.unusable, "no host in '\(withoutQuery(request.url))'") }
    if request.url.utf8.contains(where: { $0 <= 32 || $0 == 127 }) {
      return HTTPFailure(.unusable, "a blank or a control character in '\(withoutQuery(request.url))'")
    }
    // A line break would make a header of whatever follows it. The value may be a secret.
    for (name, value) in request.headers where (name + value).utf8.contains(where: { $0 < 32 || $0 == 127 }) {
      return HTTPFailure(.unusable, "a control character in the header \(name.filter(\.isLetter))")
    }
    return nil
  }

  /// For errors: a query may hold what is nobody's business.
  static func withoutQuery(_ url: String) -> String { String(url.prefix { $0 != "?" }) }

  /// In lower case, without port; nil for any scheme but the two.
  static func host(of url: String) -> String? {
    let lowered = url.lowercased()
    guard let scheme = ["http://", "https://"].first(where: { lowered.hasPrefix($0) }) else { return nil }
    let authority = lowered.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
    let place = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
    if place.hasPrefix("[") { return String(place.dropFirst().prefix { $0 != "]" }) }
    return String(place.prefix { $0 != ":" })
  }

  static func isLoopback(_ host: String) -> Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  private static func isMetadataServer(_ host: String) -> Bool {
    host == "169.254.169.254" || host == "metadata.google.internal"
  }

  /// Tells curl everything about the request. The headers that it returns must live until the transfer has ended.
  func configure(
    _ easy: UnsafeMutableRawPointer, _ options: HTTPClientOptions
  ) throws(HTTPFailure) -> UnsafeMutablePointer<curl_slist>? {
    var setting = EasySetting(easy)
    setting.check(ccurl_easy_set_defaults(easy))
    setting.set(CURLOPT_PRIVATE, Unmanaged.passUnretained(self).toOpaque())
    setting.set(CURLOPT_ERRORBUFFER, errorText)
    setting.set(CURLOPT_URL, request.url)
    setting.set(CURLOPT_USERAGENT, options.userAgent)
    setMethod(&setting)
    setting.set(CURLOPT_FOLLOWLOCATION, 0)
    setting.set(CURLOPT_SSL_VERIFYPEER, 1)
    setting.set(CURLOPT_SSL_VERIFYHOST, 2)
    if let file = options.certificateAuthorities { setting.set(CURLOPT_CAINFO, file) }
    setting.set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connectTimeoutSeconds))
    setting.set(CURLOPT_TIMEOUT_MS, milliseconds(request.timeoutSeconds))
    setting.set(CURLOPT_TCP_KEEPALIVE, 1)
    setting.set(CURLOPT_TCP_KEEPIDLE, 30)
    setting.set(CURLOPT_TCP_KEEPINTVL, 15)
    setting.set(CURLOPT_BUFFERSIZE, request.bufferBytes)
    // Over HTTP/2 each request has one of these too, of 64 KiB otherwise, until its answer has come. 16 is the least.
    setting.set(CURLOPT_UPLOAD_BUFFERSIZE, min(max(request.bufferBytes, 16 << 10), 64 << 10))
    setting.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    setSharing(&setting)
    setProxy(&setting, options)

    setting.check(ccurl_easy_set_writer(easy, CURLOPT_HEADERFUNCTION, receiveHeader))
    setting.check(ccurl_easy_set_writer(easy, CURLOPT_WRITEFUNCTION, receiveBody))
    setting.set(CURLOPT_HEADERDATA, Unmanaged.passUnretained(self).toOpaque())
    setting.set(CURLOPT_WRITEDATA, Unmanaged.passUnretained(self).toOpaque())

    var headers: UnsafeMutablePointer<curl_slist>?
    for line in headerLines() {
      guard let list = ccurl_list_append(headers, line) else {
        ccurl_list_free(headers)
        throw HTTPFailure(.unusable, "cannot send: out of memory")
      }
      headers = list
    }
    setting.set(CURLOPT_HTTPHEADER, UnsafeMutableRawPointer(headers))
    if let failed = setting.failed {
      ccurl_list_free(headers)
      throw HTTPFailure(
        .unusable, "libcurl \(String(cString: ccurl_version())) cannot send: \(CurlLibrary.text(failed))")
    }
    return headers
  }

  private func setMethod(_ setting: inout EasySetting) {
    let hasBody = request.body != nil || ["POST", "PUT", "PATCH"].contains(request.method)
    if hasBody {
      setting.set(CURLOPT_POST, 1)
      let body = request.body ?? Data()
      setting.check(ccurl_easy_set_offset(setting.easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
      setting.check(
        body.isEmpty
          ? ccurl_easy_set_pointer(setting.easy, CURLOPT_COPYPOSTFIELDS, "")
          : body.withUnsafeBytes { ccurl_easy_set_pointer(setting.easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) })
    }
    if request.method == "HEAD" {
      setting.set(CURLOPT_NOBODY, 1)
    } else if request.method != (hasBody ? "POST" : "GET") {
      setting.set(CURLOPT_CUSTOMREQUEST, request.method)
    }
  }

  private func setSharing(_ setting: inout EasySetting) {
    if !request.isRepeatable { setting.set(CURLOPT_FRESH_CONNECT, 1) }
    if isOverTLS {
      setting.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
      // While a first connection is made the others wait for what it will be: a thousand requests at once would
      // otherwise make a thousand connections to a server that needs ten.
      setting.set(CURLOPT_PIPEWAIT, mayWaitForOthers ? 1 : 0)
    } else {
      setting.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
    }
  }

  private var isOverTLS: Bool { request.url.lowercased().hasPrefix("https:") }

  /// For a connection that another request is making.
  var mayWaitForOthers: Bool { isOverTLS && request.isRepeatable }

  private func setProxy(_ setting: inout EasySetting, _ options: HTTPClientOptions) {
    let host = Self.host(of: request.url) ?? ""
    if let proxy = options.proxy {
      setting.set(CURLOPT_PROXY, proxy)
    } else if Self.isLoopback(host) || Self.isMetadataServer(host) {
      setting.set(CURLOPT_PROXY, "")
    }
  }

  private func headerLines() -> [String] {
    // `Name;` is curl's way to send a header without a value; `Name:` its way to send none of its own.
    var lines = request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
    // Servers that do not know this question leave the sender waiting for a second.
    lines.append("Expect:")
    if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) { lines.append("Content-Type:") }
    return lines
  }

  /// Of NaN as of nothing: an environment variable may say it.
  private func milliseconds(_ seconds: Double) -> Int {
    seconds > 0 ? max(1, Int((min(seconds, 1e6) * 1000).rounded(.up))) : 1
  }
}

/// Sets one option after the other, and remembers the first that was refused.
private struct EasySetting {
  let easy: UnsafeMutableRawPointer
  private(set) var failed: CURLcode?

  init(_ easy: UnsafeMutableRawPointer) { self.easy = easy }

  mutating func check(_ code: CURLcode) { if code != CURLE_OK, failed == nil { failed = code } }
  mutating func set(_ option: CURLoption, _ value: Int) { check(ccurl_easy_set_long(easy, option, value)) }
  mutating func set(_ option: CURLoption, _ value: String) { check(ccurl_easy_set_pointer(easy, option, value)) }
  mutating func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) {
    check(ccurl_easy_set_pointer(easy, option, value))
  }
}

/// Less than was given stops the transfer.
private func receiveHeader(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let bytes, let context else { return 0 }
  let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
  let raw = UnsafeRawBufferPointer(start: bytes, count: size * count)
  return transfer.headerLine(raw.bindMemory(to: UInt8.self)) ? raw.count : 0
}

private func receiveBody(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let bytes, let context else { return 0 }
  let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
  let raw = UnsafeRawBufferPointer(start: bytes, count: size * count)
  return transfer.bodyBytes(raw) ? raw.count : 0
}
