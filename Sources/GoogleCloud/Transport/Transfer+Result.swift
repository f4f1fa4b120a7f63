internal import CCurl
internal import Foundation

extension Transfer {
  func result(_ code: CURLcode, mayHaveBeenSent: Bool) -> Result<HTTPResponse, HTTPFailure> {
    if let refusal { return .failure(refusal) }
    if code == CURLE_OK {
      return .success(
        HTTPResponse(status: answer.status, headers: answer.headers, body: answer.body, version: answer.version))
    }
    let words = errorText.pointee == 0 ? CurlLibrary.text(code) : String(cString: errorText)
    let place = Self.origin(of: request.url)
    let kind = Self.kind(of: code)
    let message: String =
      switch kind {
      case .nameNotFound, .noConnection: "no connection to \(place): \(words)"
      case .untrusted: "no trust in \(place): \(words)"
      case .timeout: "no answer from \(place): \(words)"
      case .lost: "lost the connection to \(place): \(words)"
      case .unusable, .tooLong, .notWritten, .cancelled: "cannot ask \(place): \(words)"
      }
    return .failure(HTTPFailure(kind, message, mayHaveBeenSent: mayHaveBeenSent))
  }

  private static func kind(of code: CURLcode) -> HTTPFailure.Kind {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .nameNotFound
    // A handshake that breaks off is a server that goes down as often as one that speaks no TLS.
    case CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR, CURLE_PROXY: .noConnection
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
      .untrusted
    case CURLE_OPERATION_TIMEDOUT: .timeout
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_FAILED_INIT, CURLE_OUT_OF_MEMORY,
      CURLE_SSL_ENGINE_NOTFOUND, CURLE_BAD_FUNCTION_ARGUMENT:
      .unusable
    default: .lost
    }
  }

  /// Scheme, host and port.
  private static func origin(of url: String) -> String {
    let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count >= 3 else { return "the address" }
    let authority = parts[2].prefix { $0 != "?" && $0 != "#" }
    // A name and a password may stand before the host.
    return "\(parts[0])//\(authority.split(separator: "@").last ?? authority)"
  }
}
