import Foundation
package import GoogleCloud

/// Google's own description of one of its APIs: every method, parameter and field, as its own clients read it.
package struct DiscoveryDocument: Decodable, Sendable {
  var rootUrl: String
  var servicePath: String
  /// Query parameters of every method.
  var parameters: [String: DiscoverySchema]
  var schemas: [String: DiscoverySchema]
  let methods: [DiscoveryMethod]

  private enum CodingKeys: String, CodingKey { case rootUrl, servicePath, parameters, schemas, resources }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    rootUrl = try container.decode(String.self, forKey: .rootUrl)
    servicePath = try container.decode(String.self, forKey: .servicePath)
    parameters = try container.decode([String: DiscoverySchema].self, forKey: .parameters)
    schemas = try container.decode([String: DiscoverySchema].self, forKey: .schemas)
    methods = try container.decode([String: DiscoveryResource].self, forKey: .resources).values.flatMap(\.allMethods)
      .sorted { $0.id < $1.id }
  }

  /// The document of a service, read once a process.
  package static func of(_ service: CloudService) throws -> DiscoveryDocument { try loaded[service]!.get() }

  private static let loaded: [CloudService: Result<DiscoveryDocument, any Error>] = {
    var documents: [String: Result<DiscoveryDocument, any Error>] = [:]
    var loaded: [CloudService: Result<DiscoveryDocument, any Error>] = [:]
    for service in CloudService.allCases {
      let name = fileName(of: service)
      let document =
        documents[name]
        ?? Result {
          let folder = try GooglePackages.discoveryDocuments()
          return try JSONDecoder().decode(
            DiscoveryDocument.self, from: Data(contentsOf: folder.appending(path: name)))
        }
      documents[name] = document
      loaded[service] = document
    }
    return loaded
  }()

  private static func fileName(of service: CloudService) -> String {
    switch service {
    case .compute: "compute.v1.json"
    case .pubSub: "pubsub.v1.json"
    case .storage, .storageUpload: "storage.v1.json"
    case .secretManager: "secretmanager.v1.json"
    }
  }
}

struct DiscoveryResource: Decodable {
  var methods: [String: DiscoveryMethod]?
  var resources: [String: DiscoveryResource]?

  var allMethods: [DiscoveryMethod] {
    Array((methods ?? [:]).values) + (resources ?? [:]).values.flatMap(\.allMethods)
  }
}

struct DiscoveryMethod: Decodable, Sendable {
  var id: String
  var httpMethod: String
  var path: String
  var parameters: [String: DiscoverySchema]?
  var request: Reference?
  var supportsMediaUpload: Bool?
  var supportsMediaDownload: Bool?
  var mediaUpload: MediaUpload?

  struct Reference: Decodable, Sendable {
    var name: String
    private enum CodingKeys: String, CodingKey { case name = "$ref" }
  }

  struct MediaUpload: Decodable, Sendable {
    var protocols: [String: UploadProtocol]
    struct UploadProtocol: Decodable, Sendable { var path: String }
  }
}

/// A type: of a field, or of a parameter.
final class DiscoverySchema: Decodable, Sendable {
  let reference: String?
  let type: String?
  let format: String?
  let pattern: String?
  let `enum`: [String]?
  let properties: [String: DiscoverySchema]?
  let items: DiscoverySchema?
  let additionalProperties: DiscoverySchema?
  let isReadOnly: Bool?
  /// Of a parameter: `path` or `query`.
  let location: String?
  let isRequired: Bool?
  let isRepeated: Bool?
  let minimum: String?
  let maximum: String?
  let annotations: Annotations?

  struct Annotations: Decodable, Sendable {
    /// The methods that need the field.
    var required: [String]?
  }

  private enum CodingKeys: String, CodingKey {
    case reference = "$ref"
    case type, format, pattern, `enum`, properties, items, additionalProperties, location, minimum, maximum, annotations
    case isReadOnly = "readOnly"
    case isRequired = "required"
    case isRepeated = "repeated"
  }
}
