import Foundation
import GoogleCloud

@testable import CloudEmulator

/// Carries a client's requests to a world. While one waits, the world continues.
struct LedgerTransport: CloudTransport {
  let world: LedgerWorld
  /// Of the client that asks. An answer that comes after its death is nobody's.
  let life: Int

  func call(_ request: CloudRequest) async throws(CloudError) -> CloudResponse {
    guard world.allows(request) else { throw failure(.permissionDenied, request) }
    let id = world.receive(request.method.rawValue, Self.target(of: request), request.body ?? Data())
    // Heartbeats alone would carry on a world in which the answer never comes.
    let limit = world.now.addingTimeInterval(86_400)
    while world.now < limit {
      guard world.life == life else { throw failure(.cancelled, request) }
      if let answer = world.takeAnswer(to: id) {
        // A client that sleeps reads it when it is awake.
        while world.life == life, world.now < world.wakesAt { _ = world.step(until: world.wakesAt) }
        guard let answer else { throw failure(.network, request) }
        let response = CloudResponse(status: answer.status, body: answer.body)
        guard (200..<300).contains(answer.status) else { throw CloudError(answer: response, to: request) }
        return response
      }
      guard world.step() else { break }
    }
    throw failure(.unavailable, request)
  }

  private func failure(_ reason: CloudError.Reason, _ request: CloudRequest) -> CloudError {
    CloudError(reason, operation: request.operation, subject: request.subject, message: "\(reason)")
  }

  private static func target(of request: CloudRequest) -> String {
    let base = request.service == .compute ? "/compute/v1/" : "/v1/"
    let query = request.query.map { item in
      let value = (item.value ?? "").addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
      return "\(item.name)=\(value)"
    }
    return base + request.path + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
  }
}

extension LedgerWorld {
  /// What the client's account may read.
  func allows(_ request: CloudRequest) -> Bool {
    switch request.operation {
    case "list operations of": weather.mayReadOperations
    case "list instances of": weather.mayReadInstances
    default: true
    }
  }
}
