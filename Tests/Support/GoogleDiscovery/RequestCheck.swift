import Dagrun
import Foundation
package import GoogleCloud

extension DiscoveryDocument {
  /// What is wrong with a request, by Google's own description; nothing when all is well.
  package static func problems(of request: CloudRequest) throws -> [String] {
    try of(request.service).problems(of: request)
  }

  func problems(of request: CloudRequest) -> [String] {
    guard let url = URLComponents(string: base(of: request.service) + request.path), let host = url.host,
      let scheme = url.scheme
    else { return ["\(request.path): no URL"] }
    guard request.path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !#""<>\^`{|}?#"#.utf8.contains($0) }) else {
      return ["\(request.path): is not percent-encoded"]
    }
    guard rootUrl == "\(scheme)://\(host)/" else { return ["\(scheme)://\(host)/ is not \(rootUrl)"] }
    let path = String(url.percentEncodedPath.dropFirst())
    let isUpload = request.service == .storageUpload
    // The pieces of a resumable upload go to the address of its beginning; only what names the session is new.
    let isPiece = isUpload && request.method == .put && request.query.contains { $0.name == "upload_id" }
    let verb = isPiece ? "POST" : request.method.rawValue
    let candidates = methods.compactMap { method -> [String]? in
      guard method.httpMethod == verb else { return nil }
      let template =
        isUpload
        ? method.mediaUpload?.protocols["simple"].map { String($0.path.dropFirst()) } : servicePath + method.path
      guard let template, let values = Self.values(of: path, in: template) else { return nil }
      return problems(of: request, as: method, pathValues: values, isPiece: isPiece)
    }
    return candidates.min { $0.count < $1.count } ?? ["no method \(request.method.rawValue) \(path)"]
  }

  private func base(of service: CloudService) -> String {
    let endpoints = Endpoints()
    return switch service {
    case .compute: endpoints.compute
    case .pubSub: endpoints.pubSub
    case .storage: endpoints.storage
    case .storageUpload: endpoints.storageUpload
    case .secretManager: endpoints.secretManager
    }
  }

  private func problems(
    of request: CloudRequest, as method: DiscoveryMethod, pathValues: [String: String], isPiece: Bool
  ) -> [String] {
    var problems: [String] = []
    let known = method.parameters ?? [:]
    for (name, value) in pathValues.sorted(by: { $0.key < $1.key }) {
      guard let parameter = known[name] else {
        problems.append("\(method.id): the path's \(name) is not a parameter")
        continue
      }
      problems += scalarProblems(.string(value), parameter, at: "\(method.id) path \(name)")
    }

    var seen: Set<String> = []
    for item in request.query where !(isPiece && item.name == "upload_id") {
      let place = "\(method.id) query \(item.name)"
      guard let parameter = known[item.name] ?? parameters[item.name], parameter.location == "query" else {
        problems.append("\(place): there is no such parameter")
        continue
      }
      if !seen.insert(item.name).inserted, parameter.isRepeated != true { problems.append("\(place): given twice") }
      problems += textProblems(item.value ?? "", parameter, at: place)
    }
    for (name, parameter) in known.sorted(by: { $0.key < $1.key })
    where parameter.isRequired == true && parameter.location == "query" && !seen.contains(name) {
      problems.append("\(method.id): the query lacks \(name)")
    }

    if request.service == .storageUpload {
      problems += uploadProblems(request, method, isPiece: isPiece)
    } else {
      problems += bodyProblems(request, method)
    }
    if request.query.contains(URLQueryItem(name: "alt", value: "media")), method.supportsMediaDownload != true {
      problems.append("\(method.id): gives no media")
    }
    return problems
  }

  private func uploadProblems(_ request: CloudRequest, _ method: DiscoveryMethod, isPiece: Bool) -> [String] {
    guard method.supportsMediaUpload == true else { return ["\(method.id): takes no media"] }
    let kind = request.query.first { $0.name == "uploadType" }?.value
    let hasName = request.query.contains { $0.name == "name" && !($0.value ?? "").isEmpty }
    return switch kind {
    case "media" where !hasName: ["\(method.id): the object has no name"]
    case "media" where request.body == nil: ["\(method.id): there is nothing to upload"]
    case "media": []
    case "resumable" where !hasName: ["\(method.id): the object has no name"]
    case "resumable" where isPiece && request.headers["Content-Range"] == nil: ["\(method.id): the piece has no range"]
    case "resumable" where method.mediaUpload?.protocols["resumable"] != nil: []
    default: ["\(method.id): uploadType \(kind ?? "is missing")"]
    }
  }

  private func bodyProblems(_ request: CloudRequest, _ method: DiscoveryMethod) -> [String] {
    guard let wanted = method.request else {
      return (request.body ?? Data()).isEmpty ? [] : ["\(method.id): takes no body"]
    }
    guard let body = request.body else { return ["\(method.id): the body is missing"] }
    guard request.contentType == "application/json" else { return ["\(method.id): the body is \(request.contentType)"] }
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: body) else {
      return ["\(method.id): the body is not JSON"]
    }
    return self.problems(of: value, schema: wanted.name, method: method.id)
  }

  /// The parameters' values where the path is of the template, else nil. `{+name}` spans slashes.
  static func values(of path: String, in template: String) -> [String: String]? {
    var pattern = "^"
    var names: [String] = []
    var rest = template[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      pattern += NSRegularExpression.escapedPattern(for: String(rest[..<open]))
      var name = rest[rest.index(after: open)..<close]
      if name.first == "+" {
        name = name.dropFirst()
        // No id has a colon: what follows one is a verb.
        pattern += "((?:[^/]+/)*[^/:]+)"
      } else {
        pattern += "([^/]+)"
      }
      names.append(String(name))
      rest = rest[rest.index(after: close)...]
    }
    pattern += NSRegularExpression.escapedPattern(for: String(rest)) + "$"
    guard let expression = try? NSRegularExpression(pattern: pattern),
      let match = expression.firstMatch(in: path, range: NSRange(path.startIndex..., in: path))
    else { return nil }
    var values: [String: String] = [:]
    for (index, name) in names.enumerated() {
      guard let range = Range(match.range(at: index + 1), in: path),
        let value = String(path[range]).removingPercentEncoding
      else { return nil }
      values[name] = value
    }
    return values
  }
}
