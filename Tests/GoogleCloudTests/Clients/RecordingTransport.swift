import Foundation
import Synchronization

@testable import GoogleCloud

/// Keeps every request, and answers as it was told.
final class RecordingTransport: CloudTransport {
  private let state = Mutex<[CloudRequest]>([])
  private let answer: @Sendable (_ request: CloudRequest, _ index: Int) throws(CloudError) -> CloudResponse

  init(answer: @escaping @Sendable (CloudRequest, Int) throws(CloudError) -> CloudResponse) { self.answer = answer }

  /// The answers in order; the last one again and again.
  convenience init(_ answers: String...) {
    self.init { _, index in .json(answers[min(index, answers.count - 1)]) }
  }

  var requests: [CloudRequest] { state.withLock { $0 } }

  func call(_ request: CloudRequest) async throws(CloudError) -> CloudResponse {
    let index = state.withLock { requests in
      requests.append(request)
      return requests.count - 1
    }
    return try answer(request, index)
  }
}

extension CloudResponse {
  static func json(_ text: String, status: Int = 200, headers: [String: String] = [:]) -> CloudResponse {
    CloudResponse(status: status, body: Data(text.utf8), headers: headers)
  }
}

extension CloudRequest {
  func value(_ name: String) -> String? { query.first { $0.name == name }?.value }
  var bodyText: String { String(decoding: body ?? Data(), as: UTF8.self) }
}

extension RequestID {
  static let sample = RequestID(UUID(uuidString: "6E3B2F5A-0A51-4E0E-9C7B-3D9C1E5F7A10")!)
}

extension CloudError {
  static func answer(_ status: Int, _ body: String = "") -> CloudError {
    CloudError(
      answer: .json(body, status: status),
      to: CloudRequest(.compute, .get, "projects/p/global/x", operation: "read thing", subject: "t"))
  }
}
