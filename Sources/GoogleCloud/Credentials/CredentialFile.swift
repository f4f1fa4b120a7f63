internal import Foundation

/// A file of credentials in one of Google's formats, by its `type`.
indirect enum CredentialFile: Sendable {
  case serviceAccount(ServiceAccountKey)
  case authorizedUser(AuthorizedUser)
  case externalAccount(ExternalAccount)
  case impersonated(ImpersonatedAccount)
}

/// The fields of the formats, as their documentation names them (AIP-4110 and following), `client_email` as
/// `clientEmail`.
struct ServiceAccountKey: Decodable, Sendable {
  var clientEmail: String
  var privateKey: Secret
  var privateKeyId: String?
  var tokenUri: String
  var projectId: String?
  var quotaProjectId: String?
}

struct AuthorizedUser: Decodable, Sendable {
  var clientId: String
  var clientSecret: Secret
  var refreshToken: Secret
  var tokenUri: String?
  var quotaProjectId: String?
}

struct ExternalAccount: Decodable, Sendable {
  var audience: String
  var subjectTokenType: String
  var tokenUrl: String
  var credentialSource: Source
  var serviceAccountImpersonationUrl: String?
  var serviceAccountImpersonation: ImpersonationOptions?
  var clientId: String?
  var clientSecret: Secret?
  var quotaProjectId: String?
  var workforcePoolUserProject: String?

  struct ImpersonationOptions: Decodable, Sendable { var tokenLifetimeSeconds: Int? }

  struct Source: Decodable, Sendable {
    var file: String?
    var url: String?
    var headers: [String: Secret]?
    var executable: Executable?
    var format: Format?
    var environmentId: String?
  }

  struct Format: Decodable, Sendable {
    /// `text` or `json`.
    var type: String
    var subjectTokenFieldName: String?
  }

  struct Executable: Decodable, Sendable {
    var command: String
    var timeoutMillis: Int?
    var outputFile: String?
  }
}

struct ImpersonatedAccount: Sendable {
  var serviceAccountImpersonationUrl: String
  var source: CredentialFile
  var delegates: [String]
  var quotaProjectId: String?
}

extension CredentialFile {
  static let supportedTypes = "service_account, authorized_user, external_account and impersonated_service_account"

  /// - Parameter place: what a person would look at: the file, and where its name came from.
  static func parse(_ bytes: Data, place: String) throws(CloudError) -> CredentialFile {
    func unusable(_ message: String, hint: String? = nil) -> CloudError {
      CloudError(
        .unauthenticated, operation: "use the credentials in", subject: place, message: message,
        hint: hint ?? "make it again: a service account's key file, or 'gcloud auth application-default login'")
    }
    func decode<Value: Decodable>(_ type: Value.Type) throws(CloudError) -> Value {
      do { return try JSONDecoder.ofSnakeCase.decode(type, from: bytes) } catch let error as DecodingError {
        throw unusable(Self.words(error))
      } catch { throw unusable("it cannot be read as JSON") }
    }
    guard let object = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any] else {
      throw unusable(bytes.isEmpty ? "it is empty" : "it is not a JSON object")
    }
    guard let type = object["type"] as? String else {
      throw unusable("it has no 'type'", hint: "dagrun reads credentials of the types \(supportedTypes)")
    }
    switch type {
    case "service_account": return .serviceAccount(try decode(ServiceAccountKey.self))
    case "authorized_user": return .authorizedUser(try decode(AuthorizedUser.self))
    case "external_account": return .externalAccount(try decode(ExternalAccount.self))
    case "impersonated_service_account":
      let head = try decode(ImpersonatedHead.self)
      guard let nested = object["source_credentials"] as? [String: Any],
        let nestedBytes = try? JSONSerialization.data(withJSONObject: nested)
      else { throw unusable("it has no 'source_credentials'") }
      let source = try parse(nestedBytes, place: "\(place), source_credentials")
      if case .impersonated = source {
        throw unusable("its 'source_credentials' are impersonated ones again", hint: "use 'delegates' for a chain")
      }
      return .impersonated(
        ImpersonatedAccount(
          serviceAccountImpersonationUrl: head.serviceAccountImpersonationUrl, source: source,
          delegates: head.delegates ?? [], quotaProjectId: head.quotaProjectId))
    default:
      throw unusable(
        "its type is '\(type.prefix(60))'", hint: "dagrun reads credentials of the types \(supportedTypes)")
    }
  }

  private struct ImpersonatedHead: Decodable {
    var serviceAccountImpersonationUrl: String
    var delegates: [String]?
    var quotaProjectId: String?
  }

  /// Names the field, never its value.
  private static func words(_ error: DecodingError) -> String {
    func field(_ path: [any CodingKey], _ last: (any CodingKey)? = nil) -> String {
      (path + (last.map { [$0] } ?? [])).map { asWritten($0.stringValue) }.joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context): return "it has no '\(field(context.codingPath, key))'"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "its '\(field(context.codingPath))' is of the wrong kind"
    case .dataCorrupted(let context): return "its '\(field(context.codingPath))' cannot be read"
    @unknown default: return "it cannot be read"
    }
  }

  /// `client_email` of `clientEmail`.
  private static func asWritten(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : String($1) }
  }

  var projectID: String? {
    switch self {
    case .serviceAccount(let account): account.projectId
    case .impersonated(let account): account.source.projectID
    case .authorizedUser, .externalAccount: nil
    }
  }

  var quotaProject: String? {
    switch self {
    case .serviceAccount(let account): account.quotaProjectId
    case .authorizedUser(let user): user.quotaProjectId
    case .externalAccount(let account): account.quotaProjectId
    case .impersonated(let account): account.quotaProjectId
    }
  }
}

extension JSONDecoder {
  static var ofSnakeCase: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }
}
