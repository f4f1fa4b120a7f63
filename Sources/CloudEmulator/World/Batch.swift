internal import Foundation

/// A request that holds several (`multipart/mixed`, each part `application/http`), and their answers.
struct Batch {
  /// Nil: one that may not come in.
  var requests: [APIRequest?] = []
  /// As many as Google takes.
  private static let partLimit = 1000
  private let contentIDs: [String?]
  var answers: [APIResponse?]

  /// Nil: it cannot be read.
  init?(_ request: APIRequest, door: FrontDoor) {
    guard let type = request.headers["content-type"],
      let parts = Multipart.parts(of: request.body, contentType: type)
    else { return nil }
    guard parts.count <= Self.partLimit else { return nil }
    for part in parts {
      let (head, body) = Multipart.split(part.body)
      let lines = head.split(whereSeparator: \.isNewline)
      guard let words = lines.first?.split(separator: " "), words.count >= 2 else { return nil }
      var headers = Multipart.headers(lines.dropFirst().joined(separator: "\n"))
      headers["authorization"] = headers["authorization"] ?? request.headers["authorization"]
      let target = Self.target(words[1])
      requests.append(
        // Not batches in batches, however deep.
        (door.withoutSecret(target) ?? (request.isProven ? target : nil)).flatMap {
          $0.hasPrefix("/batch") ? nil : APIRequest(String(words[0]), $0, headers: headers, body: body)
        })
    }
    contentIDs = parts.map { $0.headers["content-id"] }
    answers = Array(repeating: nil, count: parts.count)
  }

  /// The whole address may stand there.
  private static func target(_ text: Substring) -> String {
    guard let scheme = text.range(of: "://"), let slash = text[scheme.upperBound...].firstIndex(of: "/") else {
      return String(text)
    }
    return String(text[slash...])
  }

  var isComplete: Bool { answers.allSatisfy { $0 != nil } }

  var response: APIResponse {
    let boundary = "batch_emulator"
    var body = ""
    for (answer, contentID) in zip(answers, contentIDs) {
      guard let answer else { continue }
      body += "--\(boundary)\r\nContent-Type: application/http\r\n"
      // `<id>` is answered by `<response-id>`.
      if let contentID {
        body += "Content-ID: <response-\(contentID.trimmingCharacters(in: ["<", ">"]))>\r\n"
      }
      body += "\r\nHTTP/1.1 \(answer.status) \(answer.status < 400 ? "OK" : "Error")\r\n"
      for (name, value) in answer.headers.sorted(by: { $0.key < $1.key }) { body += "\(name): \(value)\r\n" }
      body += "Content-Length: \(answer.body.count)\r\n\r\n\(String(decoding: answer.body, as: UTF8.self))\r\n"
    }
    return APIResponse(
      status: 200, headers: ["Content-Type": "multipart/mixed; boundary=\(boundary)"],
      body: Data((body + "--\(boundary)--\r\n").utf8))
  }
}
