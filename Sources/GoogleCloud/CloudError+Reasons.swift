/// Google says the same thing in several spellings: `quotaExceeded` as a reason of an HTTP answer, `QUOTA_EXCEEDED` as
/// the code of an operation, a status of gRPC, a reason in `ErrorInfo`. One table knows them all.
extension CloudError {
  /// - Parameters:
  ///   - codes: what the answer calls it, the most specific first.
  ///   - status: the HTTP status, for an answer that names nothing known.
  ///   - message: tells apart what Google gives one code: a broken organisation policy comes as a failed condition.
  package static func reason(codes: [String], status: Int? = nil, message: String = "") -> Reason {
    // Whatever a 401 is called (Cloud Storage says "required"), what is missing is a good token.
    if status == 401 { return .unauthenticated }
    if message.contains("Constraint constraints/") { return .permissionDenied }
    if saysNoBilling(message) { return .apiDisabled }
    let reason = named(codes) ?? status.map(reason(status:)) ?? .other
    return (reason == .notFound || reason == .invalid) && saysNotOffered(message) ? .notOffered : reason
  }

  private static func named(_ codes: [String]) -> Reason? {
    for code in codes {
      let name = upperSnake(code)
      if let reason = reasons[name] { return reason }
      if capacityWords.contains(where: name.contains) { return .outOfCapacity }
    }
    return nil
  }

  /// Google calls it forbidden.
  private static func saysNoBilling(_ message: String) -> Bool {
    let text = message.lowercased()
    return text.contains("billing")
      && ["to be enabled", "must be enabled", "is disabled", "absent billing account"].contains { text.contains($0) }
  }

  /// A machine type or an accelerator that a place does not have comes as `invalid` (400) from one method and as
  /// `notFound` (404) from another; only the words tell. gcloud itself looks for "Machine type with name '…' does not
  /// exist in zone". The same of a zone that there is not: `Invalid value for field 'zone': 'europe-west9-x'. Unknown
  /// zone.`
  private static func saysNotOffered(_ message: String) -> Bool {
    let text = message.lowercased()
    func has(_ words: String...) -> Bool { words.contains { text.contains($0) } }
    if has("unknown zone", "unknown region") || text.contains(#/\/(zones|regions)/[a-z0-9-]+' was not found/#) {
      return true
    }
    return has("machinetypes/", "acceleratortypes/", "machine type", "accelerator type")
      && has("/zones/", "/regions/", " in zone", " in region", "in regional scope")
      && has("was not found", "does not exist", "not available in", "not supported in")
  }

  /// `quotaExceeded` -> `QUOTA_EXCEEDED`.
  static func upperSnake(_ code: String) -> String {
    var name = ""
    var previousIsLower = false
    for character in code {
      if character.isUppercase, previousIsLower { name += "_" }
      previousIsLower = character.isLowercase || character.isNumber
      name += character == "-" || character == " " ? "_" : character.uppercased()
    }
    return name
  }

  /// Stock-outs have more names than are written down. A subnetwork without a free address is one too: another region
  /// has other subnetworks, and this one has room again when other VMs go.
  private static let capacityWords = ["RESOURCE_POOL_EXHAUSTED", "STOCKOUT", "IP_SPACE_EXHAUSTED"]

  private static let reasons: [String: Reason] = {
    let names: [Reason: [String]] = [
      .notFound: ["NOT_FOUND", "RESOURCE_NOT_FOUND"],
      .alreadyExists: ["ALREADY_EXISTS", "RESOURCE_ALREADY_EXISTS", "DUPLICATE", "CONFLICT"],
      .invalid: [
        "INVALID", "INVALID_ARGUMENT", "INVALID_FIELD_VALUE", "INVALID_PARAMETER", "INVALID_USAGE", "BAD_REQUEST",
        "REQUIRED", "PARSE_ERROR", "FAILED_PRECONDITION", "CONDITION_NOT_MET", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "UNSUPPORTED_OPERATION", "METHOD_NOT_ALLOWED", "UPLOAD_TOO_LARGE",
      ],
      .inUse: ["RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", "RESOURCE_IN_USE"],
      .permissionDenied: [
        "FORBIDDEN", "PERMISSION_DENIED", "PERMISSIONS_ERROR", "IAM_PERMISSION_DENIED", "INSUFFICIENT_PERMISSIONS",
        "ACCESS_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "SERVICE_ACCOUNT_ACCESS_DENIED", "CONSUMER_INVALID",
        "SECURITY_POLICY_VIOLATED",
      ],
      .unauthenticated: [
        "AUTH_ERROR", "UNAUTHENTICATED", "UNAUTHORIZED", "AUTHENTICATION_REQUIRED", "LOGIN_REQUIRED",
        "CREDENTIALS_MISSING", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_TYPE_UNSUPPORTED", "INVALID_GRANT",
        "INVALID_CLIENT", "INVALID_CREDENTIALS",
      ],
      .apiDisabled: [
        "SERVICE_DISABLED", "ACCESS_NOT_CONFIGURED", "BILLING_DISABLED", "BILLING_NOT_ENABLED", "ACCOUNT_DISABLED",
        "UREQ_PROJECT_BILLING_NOT_FOUND", "UREQ_PROJECT_BILLING_NOT_OPEN", "SERVICE_NOT_ENABLED",
      ],
      .rateLimited: [
        "RATE_LIMIT_EXCEEDED", "USER_RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", "TOO_MANY_REQUESTS",
        "OPERATION_RATE_EXCEEDED", "RESOURCE_OPERATION_RATE_EXCEEDED", "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED",
      ],
      .quotaExceeded: ["QUOTA_EXCEEDED", "QUOTA_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "DAILY_LIMIT_EXCEEDED"],
      .outOfCapacity: [
        "ZONE_RESOURCE_POOL_EXHAUSTED", "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "REGION_RESOURCE_POOL_EXHAUSTED",
        "REGION_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "RESOURCE_POOL_EXHAUSTED", "GPU_STOCKOUT", "STOCKOUT",
        "INSUFFICIENT_CAPACITY", "RESOURCE_AVAILABILITY",
      ],
      .unavailable: [
        "UNAVAILABLE", "SERVICE_UNAVAILABLE", "BACKEND_ERROR", "INTERNAL", "INTERNAL_ERROR", "DEADLINE_EXCEEDED",
        "UNKNOWN", "ABORTED", "CANCELLED", "DATA_LOSS", "TIMEOUT", "GATEWAY_TIMEOUT", "RESOURCE_NOT_READY",
      ],
    ]
    var reasons: [String: Reason] = [:]
    for (reason, names) in names { for name in names { reasons[name] = reason } }
    return reasons
  }()

  private static func reason(status: Int) -> Reason {
    switch status {
    case 401: .unauthenticated
    case 402: .apiDisabled
    case 403: .permissionDenied
    case 404, 410: .notFound
    // The proxy's word, not Google's.
    case 407: .network
    case 409: .alreadyExists
    case 408, 425, 499, 500...599: .unavailable
    case 429: .rateLimited
    case 400..<500: .invalid
    default: .other
    }
  }
}
