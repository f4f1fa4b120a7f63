import Foundation

extension CloudError {
  /// - Parameter answer: one whose status is not a success.
  package init(answer: CloudResponse, to request: CloudRequest) {
    let body = ErrorBody(answer.body)
    let message = Self.cut(body.message ?? "Google answered with status \(answer.status) and no explanation")
    var reason = Self.reason(codes: body.codes, status: answer.status, message: message)
    if body.isPage, reason == .notFound || reason == .permissionDenied || reason == .invalid {
      // Not a word of Google's API: "404, not found" must not be taken for "the VM is gone".
      reason = .badAnswer
    }
    self.init(
      reason, operation: request.operation, subject: request.subject, message: message, status: answer.status,
      code: body.codes.first,
      hint: body.isPage && reason == .badAnswer
        ? "the answer is a web page: is there a proxy in between, or an endpoint that is not Google's?"
        : Self.hint(
          reason,
          facts: Facts(
            service: request.service, project: Self.project(in: request.path), message: message,
            subject: request.subject,
            activationURL: body.activationURL)))
  }

  /// The fault of an operation, of a group that cannot make its VM (`lastAttempt`), or of a group's `listErrors`.
  ///
  /// - Parameter faults: the one that tells most is taken, the first of equals.
  package init(_ faults: [ComputeFault], operation: String, subject: String, project: String? = nil) {
    let readings = faults.map { fault in
      (
        fault,
        Self.reason(
          codes: [fault.code, fault.errorDetails?.compactMap(\.errorInfo?.reason).first].compactMap(\.self),
          message: fault.message ?? "")
      )
    }
    let (fault, reason) =
      readings.first { $0.1 != .other } ?? readings.first ?? (ComputeFault(code: nil, message: nil), .other)
    let message = Self.cut(
      fault.message ?? fault.errorDetails?.compactMap(\.localizedMessage?.message).first
        ?? fault.code.map { "Google says \($0)" } ?? "Google does not say why")
    let quota = fault.errorDetails?.compactMap(\.quotaInfo).first
    self.init(
      reason, operation: operation, subject: subject, message: message, code: fault.code,
      hint: Self.hint(
        reason,
        facts: Facts(
          service: .compute, project: project, message: message, subject: subject, quota: quota,
          activationURL: fault.errorDetails?.compactMap(\.errorInfo?.metadatas?["activationUrl"]).first,
          helpURL: fault.errorDetails?.compactMap(\.help?.links?.first?.url).first)))
  }

  /// One line, at most 600 characters.
  static func cut(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return line.count > 600 ? line.prefix(600) + "…" : line
  }

  private static func project(in path: String) -> String? {
    let parts = path.split(separator: "/")
    guard parts.count > 1, parts[0] == "projects" else { return nil }
    return parts[1].removingPercentEncoding
  }
}

/// What can be learnt from the body of a refusal, of whatever kind.
struct ErrorBody {
  /// The most specific first.
  var codes: [String] = []
  var message: String?
  var activationURL: String?
  /// A page for people, not an answer of the API.
  var isPage = false

  init(_ body: Data) {
    let json = try? JSONSerialization.jsonObject(with: body)
    // Some answers are lists of one.
    if let object = (json as? [Any])?.first as? [String: Any] ?? json as? [String: Any] {
      read(object)
    } else {
      readText(String(decoding: body.prefix(20_000), as: UTF8.self))
    }
  }

  private mutating func read(_ object: [String: Any]) {
    guard let error = object["error"] as? [String: Any] else {
      // OAuth's way: {"error": "invalid_grant", "error_description": "…"}.
      if let code = object["error"] as? String {
        codes = [code]
        message = object["error_description"] as? String ?? code
      }
      return
    }
    message = error["message"] as? String
    for case let detail as [String: Any] in error["details"] as? [Any] ?? [] {
      guard let reason = detail["reason"] as? String else { continue }
      codes.append(reason)
      // Compute Engine spells it with an s.
      let metadata = (detail["metadata"] ?? detail["metadatas"]) as? [String: Any]
      activationURL = metadata?["activationUrl"] as? String ?? activationURL
    }
    for case let item as [String: Any] in error["errors"] as? [Any] ?? [] {
      if let reason = item["reason"] as? String { codes.append(reason) }
      message = message ?? item["message"] as? String
      activationURL = activationURL ?? item["extendedHelp"] as? String
    }
    if let status = error["status"] as? String { codes.append(status) }
  }

  private mutating func readText(_ text: String) {
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard trimmed.hasPrefix("<") else {
      message = trimmed.isEmpty ? nil : trimmed
      return
    }
    isPage = true
    var words = trimmed
    for pattern in ["(?is)<(script|style)\\b.*?</\\1>", "(?s)<!--.*?-->", "(?s)<[^>]*>"] {
      words = words.replacingOccurrences(of: pattern, with: " ", options: .regularExpression)
    }
    for (entity, character) in [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'")] {
      words = words.replacingOccurrences(of: entity, with: character)
    }
    words = words.replacingOccurrences(of: "&amp;", with: "&").split(whereSeparator: \.isWhitespace)
      .joined(separator: " ")
    message = words.isEmpty ? "a web page without words" : "a web page that says: \(words)"
  }
}
