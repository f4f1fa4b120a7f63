import Foundation

extension CloudRequest {
  /// The same call with `value` as its body.
  func withBody(_ value: some Encodable) throws(CloudError) -> CloudRequest {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var request = self
    do {
      request.body = try encoder.encode(value)
    } catch {
      throw CloudError(
        .invalid, operation: operation, subject: subject, message: "the request cannot be written as JSON: \(error)")
    }
    return request
  }
}

extension CloudTransport {
  func answer<Answer: Decodable>(_ type: Answer.Type, to request: CloudRequest) async throws(CloudError) -> Answer {
    try decoded(type, from: try await call(request), to: request)
  }

  /// - Returns: nil when a long poll ended before there was something to say: ask again.
  func heldAnswer<Answer: Decodable>(
    _ type: Answer.Type, to request: CloudRequest
  ) async throws(CloudError) -> Answer? {
    let response = try await call(request)
    return response == .emptyPoll ? nil : try decoded(type, from: response, to: request)
  }

  private func decoded<Answer: Decodable>(
    _ type: Answer.Type, from response: CloudResponse, to request: CloudRequest
  ) throws(CloudError) -> Answer {
    do {
      return try JSONDecoder().decode(type, from: response.body)
    } catch {
      throw CloudError(
        .badAnswer, operation: request.operation, subject: request.subject,
        message: "the answer is not what Google's documentation says: \(Self.words(error))", status: response.status,
        hint: "does the endpoint lead to Google? A proxy's page, for instance, cannot be read as an answer")
    }
  }

  /// All pages of a list, in order. A patience of the request is one for all of them.
  func pages<Page: ListPage>(_ type: Page.Type, of request: CloudRequest) async throws(CloudError) -> [Page] {
    var pages: [Page] = []
    var token: String?
    let began = ContinuousClock.now
    while true {
      var next = request
      if let patience = request.patienceSeconds {
        let left = patience - began.duration(to: .now) / .seconds(1)
        guard left > 0 || pages.isEmpty else {
          throw CloudError(
            .unavailable, operation: request.operation, subject: request.subject,
            message: "the list has more than the \(pages.count) pages that came in \(patience) s")
        }
        next.patienceSeconds = left
        next.timeoutSeconds = min(request.timeoutSeconds, left)
      }
      if let token { next.query.append(URLQueryItem(name: "pageToken", value: token)) }
      let page = try await answer(type, to: next)
      pages.append(page)
      guard let following = page.nextPageToken, !following.isEmpty else { return pages }
      guard following != token else {
        throw CloudError(
          .badAnswer, operation: request.operation, subject: request.subject,
          message: "the list does not end: page \(pages.count) names itself as the next one")
      }
      token = following
    }
  }

  /// Where in the answer it is wrong, without the answer's values.
  private static func words(_ error: any Error) -> String {
    func path(_ context: DecodingError.Context) -> String {
      context.codingPath.isEmpty
        ? "its top" : context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }
    return switch error {
    case DecodingError.keyNotFound(let key, let context): "“\(key.stringValue)” is missing at \(path(context))"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "the value at \(path(context)) has another type"
    case DecodingError.dataCorrupted(let context): "the value at \(path(context)) cannot be read"
    default: "\(error)"
    }
  }
}

/// One page of a list.
protocol ListPage: Decodable, Sendable {
  var nextPageToken: String? { get }
}
