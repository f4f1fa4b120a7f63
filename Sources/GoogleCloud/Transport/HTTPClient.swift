internal import Foundation

/// Sends HTTP requests through libcurl, any number at once, on one serial queue: no thread, and for a request that
/// waits a few kilobytes and a share of a connection.
///
/// - HTTP/2 where a server offers it over TLS; requests to one host then share connections.
/// - TLS is always verified.
/// - Proxies by the usual variables (`https_proxy`, `no_proxy`, …, read by curl itself), except to this machine and to
///   the metadata server, which no proxy could reach.
/// - curl looks names up in a thread for each lookup, for as long as that takes; what it found it keeps for a minute.
package final class HTTPClient: HTTPSending {
  private let loop: CurlLoop

  package init(_ options: HTTPClientOptions = HTTPClientOptions()) {
    loop = CurlLoop(options)
  }

  deinit { loop.close() }

  package func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    let transfer = Transfer(request)
    let loop = loop
    let result = await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        loop.start(transfer) { continuation.resume(returning: $0) }
      }
    } onCancel: {
      loop.cancel(transfer)
    }
    return try result.get()
  }
}

package struct HTTPClientOptions: Sendable {
  package var userAgent = "dagrun"
  /// A file of certificates (PEM) to trust in place of the system's.
  package var certificateAuthorities: String?
  /// nil: as the usual variables say.
  package var proxy: String?

  package init() {}

  /// The variables of gcloud, curl and OpenSSL for a file of certificates, in this order.
  package init(environment: [String: String]) {
    let names = ["CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]
    certificateAuthorities = names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
  }
}
