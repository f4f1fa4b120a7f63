/// What Google answers to every mutation: work that is still under way. Done without `error` is success.
package struct ComputeOperation: Codable, Hashable, Sendable {
  package var name: String
  package var status: Status
  package var operationType: String?
  /// A link to what it works on.
  package var targetLink: String?
  /// The number of what it works on, which tells it from an earlier one of the same name.
  package var targetId: String?
  /// Links; neither for a global one.
  package var zone: String?
  package var region: String?
  package var error: FaultList?
  package var warnings: [Warning]?
  package var httpErrorStatusCode: Int?
  package var httpErrorMessage: String?
  package var insertTime: String?
  package var endTime: String?
  package var selfLink: String?

  package init(name: String, status: Status) {
    self.name = name
    self.status = status
  }

  package var isDone: Bool { status == .done }

  package var scope: Scope {
    if let zone { return .zone(resourceName(ofLink: zone)) }
    if let region { return .region(resourceName(ofLink: region)) }
    return .global
  }

  package struct Status: OpenValue {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package static let pending: Self = "PENDING"
    package static let running: Self = "RUNNING"
    package static let done: Self = "DONE"
  }

  package struct Warning: Codable, Hashable, Sendable {
    package var code: String?
    package var message: String?
    package init(code: String?, message: String?) {
      self.code = code
      self.message = message
    }
  }
}

/// How an operation ended. A failed one is a `CloudError`.
package enum OperationEnd: Hashable, Sendable {
  case succeeded(ComputeOperation)
  /// Google no longer knows of it: it ended a while ago. How, only the resource tells.
  case forgotten
}

/// `{"errors": […]}`, as operations and `lastAttempt` have it.
package struct FaultList: Codable, Hashable, Sendable {
  package var errors: [ComputeFault]?
  package init(_ errors: [ComputeFault]?) { self.errors = errors }
}

/// A fault that comes in an answer's body, not as an HTTP status: of an operation, or of a group that cannot make a VM.
package struct ComputeFault: Codable, Hashable, Sendable {
  /// `ZONE_RESOURCE_POOL_EXHAUSTED`.
  package var code: String?
  package var message: String?
  /// The field that caused it.
  package var location: String?
  package var errorDetails: [Detail]?

  package init(code: String?, message: String?, location: String? = nil, errorDetails: [Detail]? = nil) {
    self.code = code
    self.message = message
    self.location = location
    self.errorDetails = errorDetails
  }

  package struct Detail: Codable, Hashable, Sendable {
    package var errorInfo: ErrorInfo?
    package var quotaInfo: QuotaInfo?
    package var localizedMessage: LocalizedMessage?
    package var help: Help?
    package init() {}
  }

  package struct ErrorInfo: Codable, Hashable, Sendable {
    package var reason: String?
    package var domain: String?
    package var metadatas: [String: String]?
    package init(reason: String?, domain: String? = nil, metadatas: [String: String]? = nil) {
      self.reason = reason
      self.domain = domain
      self.metadatas = metadatas
    }
  }

  package struct QuotaInfo: Codable, Hashable, Sendable {
    package var metricName: String?
    package var limitName: String?
    /// `region`, or `zone`.
    package var dimensions: [String: String]?
    package var limit: Double?
    package init() {}
  }

  package struct LocalizedMessage: Codable, Hashable, Sendable {
    package var message: String?
    package init(message: String?) { self.message = message }
  }

  package struct Help: Codable, Hashable, Sendable {
    package var links: [Link]?
    package init(links: [Link]?) { self.links = links }

    package struct Link: Codable, Hashable, Sendable {
      package var url: String?
      package init(url: String?) { self.url = url }
    }
  }
}
