import Foundation
import Processes
import Testing

@testable import CloudEmulator

/// Our tables against Google's discovery documents, which the PyPI package google-api-python-client brings.
struct DiscoveryTests {
  static let python =
    ProcessInfo.processInfo.environment["DAGRUN_PYTHON"]
    ?? FileManager.default.currentDirectoryPath + "/.build/python/bin/python3"

  /// The documents' folder; nil where they are not installed.
  static let folder: String? = {
    let script = "import googleapiclient.discovery_cache as c; print(list(c.__path__)[0] + '/documents')"
    guard FileManager.default.isExecutableFile(atPath: python),
      let process = try? Spawn(python, ["-c", script]).run(timeout: 60), process.status == .exited(0)
    else { return nil }
    return process.text(1).trimmingCharacters(in: .whitespacesAndNewlines)
  }()

  static let absence: Comment =
    "no discovery documents: scripts/install-python installs them, or name a Python that has them in DAGRUN_PYTHON"

  func document(_ name: String) throws -> JSON {
    let folder = try #require(Self.folder)
    return try JSON(parsing: try #require(FileManager.default.contents(atPath: "\(folder)/\(name).json")))
  }

  /// The messages of a document that can be reached from some, in the form that `Schema` reads.
  func table(_ document: JSON, from roots: [String]) -> String {
    var messages: [String: [String: JSON]] = [:]
    var wanted: [(String, [String: JSON])] = roots.map { ($0, document["schemas"][$0]["properties"].fields) }
    var lines: [String] = []
    func type(_ property: JSON, _ name: String) -> String {
      if let reference = property["$ref"].text {
        wanted.append((reference, document["schemas"][reference]["properties"].fields))
        return reference
      }
      switch (property["type"].text, property["format"].text) {
      case ("array"?, _): return "[\(type(property["items"], name))]"
      case ("object"?, _):
        if property["additionalProperties"] != .null { return "{\(type(property["additionalProperties"], name))}" }
        wanted.append((name, property["properties"].fields))
        return name
      case ("string"?, "int64"?), ("string"?, "uint64"?): return "int64"
      case ("string"?, "byte"?): return "bytes"
      case ("string"?, _):
        let names = property["enum"].elements.compactMap(\.text)
        return names.isEmpty ? "string" : names.joined(separator: "|")
      case (let other, _): return other ?? "any"
      }
    }
    while let (name, properties) = wanted.popLast() {
      guard messages[name] == nil else { continue }
      messages[name] = properties
      lines.append(name)
      for (field, property) in properties {
        lines.append("  \(field):\(type(property, name + field.prefix(1).uppercased() + field.dropFirst()))")
      }
    }
    return lines.joined(separator: "\n")
  }

  @Test(.enabled(if: folder != nil, absence))
  func `bodies are checked by the document of Compute Engine`() throws {
    let text = table(
      try document("compute.v1"),
      from: [
        "InstanceTemplate", "InstanceGroupManager", "InstanceGroupsListInstancesRequest",
        "InstanceGroupManagersDeleteInstancesRequest",
      ])
    #expect(Schema(text) == .compute, "the document has changed: make the table anew")
  }

  @Test(.enabled(if: folder != nil, absence))
  func `bodies are checked by the document of Pub Sub`() throws {
    let text = table(try document("pubsub.v1"), from: PubSubMethod.allCases.compactMap(\.body))
    #expect(Schema(text) == .pubSub, "the document has changed: make the table anew")
  }

  /// A request as the document says it, with every parameter it knows.
  func requests(_ document: JSON, base: String) -> [String: APIRequest] {
    var requests: [String: APIRequest] = [:]
    var resources = [document]
    while let resource = resources.popLast() {
      resources += resource["resources"].fields.values
      for method in resource["methods"].fields.values {
        let path = method["flatPath"].text ?? method["path"].text ?? ""
        let target = path.replacing(#/\{[^}]*\}/#, with: "x1")
        let query = method["parameters"].fields.filter { $0.value["location"] == "query" }.keys.sorted()
        requests[method["id"].text ?? ""] = APIRequest(
          method["httpMethod"].text ?? "", base + target + "?" + query.map { "\($0)=1" }.joined(separator: "&"))
      }
    }
    return requests
  }

  @Test(.enabled(if: folder != nil, absence))
  func `every method is where the documents have it, with the parameters they know`() throws {
    func check<Method: CaseIterable & RawRepresentable & Sendable & Equatable>(
      _ routes: RouteTable<Method>, _ requests: [String: APIRequest], base: String
    ) throws where Method.RawValue == String {
      for method in Method.allCases where !method.rawValue.hasSuffix(".chunk") {
        let request = try #require(requests[method.rawValue], "\(method.rawValue)")
        let call = try routes.find(request, path: request.path.dropFirst(base.count), id: RequestID(value: 0))
        #expect(call?.method == method)
      }
    }
    let compute = requests(try document("compute.v1"), base: "/")
    try check(ComputeMethod.routes, compute, base: "/")
    try check(PubSubMethod.routes, requests(try document("pubsub.v1"), base: "/"), base: "/v1/")
    try check(SecretMethod.routes, requests(try document("secretmanager.v1"), base: "/"), base: "/v1/")
    try check(LoggingMethod.routes, requests(try document("logging.v2"), base: "/"), base: "/v2/")
    let storage = requests(try document("storage.v1"), base: "/storage/v1/").mapValues { request in
      var request = request
      // Objects come in by another door.
      if request.method == "POST", request.path.hasSuffix("/o") { request.path = "/upload" + request.path }
      return request
    }
    try check(StorageMethod.routes, storage, base: "/")
  }
}
