internal import Foundation

/// A file of credentials in one of Google's formats, by its `type`.
indirect enum CredentialFile: Sendable {
  case serviceAccount(ServiceAccountKey)
  case authorizedUser(AuthorizedUser)
  case externalAccount(ExternalAccount)
  case impersonated(ImpersonatedAccount)
}

/// The fields of the formats, as their documentation names them (AIP-4110 and following).
struct ServiceAccountKey: Decodable, Sendable {
  var client_email: String
  var private_key: Secret
  var private_key_id: String?
  var token_uri: String
  var project_id: String?
  var quota_project_id: String?
}

struct AuthorizedUser: Decodable, Sendable {
  var client_id: String
  var client_secret: Secret
  var refresh_token: Secret
  var token_uri: String?
  var quota_project_id: String?
}

struct ExternalAccount: Decodable, Sendable {
  var audience: String
  var subject_token_type: String
  var token_url: String
  var credential_source: Source
  var service_account_impersonation_url: String?
  var service_account_impersonation: ImpersonationOptions?
  var client_id: String?
  var client_secret: Secret?
  var quota_project_id: String?
  var workforce_pool_user_project: String?

  struct ImpersonationOptions: Decodable, Sendable { var token_lifetime_seconds: Int? }

  struct Source: Decodable, Sendable {
    var file: String?
    var url: String?
    var headers: [String: Secret]?
    var executable: Executable?
    var format: Format?
    var environment_id: String?
  }

  struct Format: Decodable, Sendable {
    /// `text` or `json`.
    var type: String
    var subject_token_field_name: String?
  }

  struct Executable: Decodable, Sendable {
    var command: String
    var timeout_millis: Int?
    var output_file: String?
  }
}

struct ImpersonatedAccount: Sendable {
  var service_account_impersonation_url: String
  var source: CredentialFile
  var delegates: [String]
  var quota_project_id: String?
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
      do { return try JSONDecoder().decode(type, from: bytes) } catch let error as DecodingError {
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
          service_account_impersonation_url: head.service_account_impersonation_url, source: source,
          delegates: head.delegates ?? [], quota_project_id: head.quota_project_id))
    default:
      throw unusable(
        "its type is '\(type.prefix(60))'", hint: "dagrun reads credentials of the types \(supportedTypes)")
    }
  }

  private struct ImpersonatedHead: Decodable {
    var service_account_impersonation_url: String
    var delegates: [String]?
    var quota_project_id: String?
  }

  /// Names the field, never its value.
  private static func words(_ error: DecodingError) -> String {
    func field(_ path: [any CodingKey], _ last: (any CodingKey)? = nil) -> String {
      (path + (last.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context): return "it has no '\(field(context.codingPath, key))'"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "its '\(field(context.codingPath))' is of the wrong kind"
    case .dataCorrupted(let context): return "its '\(field(context.codingPath))' cannot be read"
    @unknown default: return "it cannot be read"
    }
  }

  var projectID: String? {
    switch self {
    case .serviceAccount(let account): account.project_id
    case .impersonated(let account): account.source.projectID
    case .authorizedUser, .externalAccount: nil
    }
  }

  var quotaProject: String? {
    switch self {
    case .serviceAccount(let account): account.quota_project_id
    case .authorizedUser(let user): user.quota_project_id
    case .externalAccount(let account): account.quota_project_id
    case .impersonated(let account): account.quota_project_id
    }
  }
}
