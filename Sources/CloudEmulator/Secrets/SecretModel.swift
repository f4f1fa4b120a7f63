internal import Foundation

enum SecretMethod: String, Sendable, CaseIterable {
  case access = "secretmanager.projects.secrets.versions.access"

  /// From the discovery document of secretmanager v1.
  static let routes = RouteTable<SecretMethod>(
    "secretmanager.projects.secrets.versions.access GET projects/{project}/secrets/{secret}/versions/{version}:access")
}

/// Secret Manager's values. Each secret has one version, 1, which is also `latest`.
struct SecretModel {
  /// `projects/P/secrets/S`, or only `S`, which is in every project.
  var values: [String: String]

  func handle(_ call: Call<SecretMethod>) throws(APIFailure) -> APIResponse {
    let path = "projects/\(call["project"])/secrets/\(call["secret"])"
    guard let value = values[path] ?? values[call["secret"]] else {
      throw .pubSub(404, "NOT_FOUND", "Secret [\(path)] not found or has no versions.")
    }
    guard ["1", "latest"].contains(call["version"]) else {
      throw .pubSub(404, "NOT_FOUND", "Secret Version [\(path)/versions/\(call["version"])] not found.")
    }
    let number = ComputeNames.projectNumber(call["project"])
    let data = Data(value.utf8)
    return .json([
      "name": .string("projects/\(number)/secrets/\(call["secret"])/versions/1"),
      "payload": [
        "data": .string(data.base64EncodedString()), "dataCrc32c": "\(Digest.crc32c(data))",
      ],
    ])
  }
}
