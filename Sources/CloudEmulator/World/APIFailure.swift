/// A refusal, in the shape in which Google gives it.
struct APIFailure: Error, Hashable, Sendable {
  var status: Int
  /// camelCase, as in `error.errors[].reason`: `notFound`.
  var reason: String
  var message: String
  /// Upper case, as in `error.status`: `NOT_FOUND`. Compute gives none but for what its front door refuses.
  var code: String?
  var retryAfterSeconds: Int?

  init(_ status: Int, _ reason: String, _ message: String, code: String? = nil, retryAfterSeconds: Int? = nil) {
    self.status = status
    self.reason = reason
    self.message = message
    self.code = code
    self.retryAfterSeconds = retryAfterSeconds
  }

  var response: APIResponse {
    var error: JSON = ["code": .integer(Int64(status)), "message": .string(message)]
    error["errors"] = [["message": .string(message), "domain": "global", "reason": .string(reason)]]
    error["status"] = code.map(JSON.string) ?? .null
    var response = APIResponse.json(["error": error], status: status)
    if let retryAfterSeconds { response.headers["Retry-After"] = String(retryAfterSeconds) }
    if status == 401 { response.headers["WWW-Authenticate"] = "Bearer realm=\"https://accounts.google.com/\"" }
    return response
  }

  /// What the front door of all APIs says of a body or a query that does not fit.
  static func badRequest(_ message: String) -> APIFailure {
    APIFailure(400, "invalid", message, code: "INVALID_ARGUMENT")
  }

  static func noSuchMethod(_ request: APIRequest) -> APIFailure {
    APIFailure(404, "notFound", "The requested URL \(request.path) was not found on this server.", code: "NOT_FOUND")
  }

  static let unauthenticated = APIFailure(
    401, "authError",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
      + "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    code: "UNAUTHENTICATED")
}
