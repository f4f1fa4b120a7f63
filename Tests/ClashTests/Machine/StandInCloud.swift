import Foundation
import GoogleCloud

/// Google's services and the metadata server, as far as a job's VM asks them.
final class StandInCloud: @unchecked Sendable {
  private let condition = NSCondition()
  private var world = World()
  private var server: LoopbackServer?

  struct World {
    var messages: [Message] = []
    /// `bucket/name` -> contents.
    var objects: [String: Data] = [:]
    /// `projects/P/secrets/S/versions/V` -> value.
    var secrets: [String: Data] = [:]
    var attributes: [String: String] = [:]
    var isPreempted = false
    /// Messages are taken, and answered, when it is over.
    var holdsPublishing = false
    var heldMessages = 0
    var removedGroups: [String] = []
    var logEntries: [String] = []
    /// Objects in one page of a list.
    var pageSize = 2
    /// Asked before anything is done: an answer of its own, or nil.
    var fault: (@Sendable (LoopbackServer.Request) -> LoopbackServer.Response?)?
    var sessions: [String: (object: String, data: Data)] = [:]
    var isClosed = false
  }

  struct Message {
    var attributes: [String: String]
    var data: Data
    var kind: String { attributes["kind"] ?? "" }
    var json: [String: Any] { (try? JSONSerialization.jsonObject(with: data) as? [String: Any]) ?? [:] }
  }

  init() throws {
    server = try LoopbackServer { [weak self] in self?.answer($0) ?? .failure(503, "gone") }
  }

  var port: Int { server?.port ?? 0 }

  var endpoints: Endpoints {
    var endpoints = Endpoints()
    let base = "http://127.0.0.1:\(port)"
    endpoints.compute = base + "/compute/v1/"
    endpoints.pubSub = base + "/v1/"
    endpoints.storage = base + "/storage/v1/"
    endpoints.storageUpload = base + "/upload/storage/v1/"
    endpoints.secretManager = base + "/v1/"
    endpoints.logging = base + "/v2/"
    return endpoints
  }

  func close() {
    change { $0.isClosed = true }
    server?.stop()
  }

  func read<Value>(_ body: (World) -> Value) -> Value {
    condition.lock()
    defer { condition.unlock() }
    return body(world)
  }

  func change(_ body: (inout World) -> Void) {
    condition.lock()
    body(&world)
    condition.broadcast()
    condition.unlock()
  }

  /// Waits for it; false when it has not come within half a minute.
  func wait(for isSo: (World) -> Bool) -> Bool {
    let deadline = Date(timeIntervalSinceNow: 30)
    condition.lock()
    defer { condition.unlock() }
    while !isSo(world) { if !condition.wait(until: deadline) { return isSo(world) } }
    return true
  }

  private func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Response {
    if let response = read({ $0.fault })?(request) { return response }
    let parts = request.path.split(separator: "/").map { LoopbackServer.decoded(String($0)) }
    if parts.first == "computeMetadata" { return metadata(Array(parts.dropFirst(2)), request) }
    guard request.headers["authorization"] == "Bearer a-token" else { return .failure(401, "no token") }
    switch (request.method, parts.first, parts.last) {
    case ("POST", "v1", let last?) where last.hasSuffix(":publish"): return publish(request)
    case ("GET", "v1", let last?) where last.hasSuffix(":access"):
      let name = parts.dropFirst().joined(separator: "/").dropLast(7)
      guard let value = read({ $0.secrets[String(name)] }) else { return .failure(404, "there is no secret \(name)") }
      return .json(["name": String(name), "payload": ["data": value.base64EncodedString()]])
    case ("GET", "storage", _): return parts.count == 5 ? list(parts[3], request) : object(parts)
    case ("POST", "upload", _): return upload(parts[4], request)
    case ("PUT", "session", let id?): return uploadPiece(id, request)
    case ("POST", "v2", _):
      let json = (try? JSONSerialization.jsonObject(with: request.body) as? [String: Any]) ?? [:]
      let entries = json["entries"] as? [[String: Any]] ?? []
      change { $0.logEntries += entries.map { $0["textPayload"] as? String ?? "?" } }
      return .json([:] as [String: String])
    case ("DELETE", "compute", _):
      change { $0.removedGroups.append(parts.dropFirst(2).joined(separator: "/")) }
      return .json(["name": "operation-1", "status": "RUNNING"])
    case (_, _, _): return .failure(404, "nothing at \(request.method) \(request.path)")
    }
  }

  private func metadata(_ parts: [String], _ request: LoopbackServer.Request) -> LoopbackServer.Response {
    guard request.headers["metadata-flavor"] == "Google", request.headers["host"] == "metadata.google.internal" else {
      return .failure(403, "not the way to ask a metadata server")
    }
    switch parts.joined(separator: "/") {
    case "instance/service-accounts/default/token":
      return .json(["access_token": "a-token", "expires_in": 3599, "token_type": "Bearer"])
    case "instance/service-accounts/default/email": return .init(body: Data("worker@a-project.iam.example".utf8))
    case "instance/preempted":
      if request.query["wait_for_change"] == "true" { _ = wait { $0.isPreempted || $0.isClosed } }
      return .init(body: Data(read { $0.isPreempted ? "TRUE" : "FALSE" }.utf8))
    case "instance/id": return .init(body: Data("4711".utf8))
    case "instance/zone": return .init(body: Data("projects/1/zones/europe-west1-b".utf8))
    default:
      guard parts.count == 3, parts[1] == "attributes", let value = read({ $0.attributes[parts[2]] }) else {
        return .failure(404, "no such metadata")
      }
      return .init(body: Data(value.utf8))
    }
  }

  /// Does what is asked, for a fault that comes after the work.
  func take(_ request: LoopbackServer.Request) { _ = publish(request) }

  private func publish(_ request: LoopbackServer.Request) -> LoopbackServer.Response {
    if read({ $0.holdsPublishing }) {
      change { $0.heldMessages += 1 }
      _ = wait { !$0.holdsPublishing || $0.isClosed }
    }
    guard let json = try? JSONSerialization.jsonObject(with: request.body) as? [String: Any],
      let messages = json["messages"] as? [[String: Any]]
    else { return .failure(400, "no valid JSON") }
    for message in messages {
      guard let attributes = message["attributes"] as? [String: String], let text = message["data"] as? String,
        let data = Data(base64Encoded: text)
      else { return .failure(400, "no message") }
      change { $0.messages.append(Message(attributes: attributes, data: data)) }
    }
    return .json(["messageIds": ["1"]])
  }

  private func list(_ bucket: String, _ request: LoopbackServer.Request) -> LoopbackServer.Response {
    let prefix = bucket + "/" + (request.query["prefix"] ?? "")
    let names = read { $0.objects.keys.filter { $0.hasPrefix(prefix) }.sorted() }
    let start = request.query["pageToken"].flatMap { Int($0.dropFirst(2)) } ?? 0
    let page = names.dropFirst(start).prefix(read { $0.pageSize })
    var json: [String: Any] = ["kind": "storage#objects"]
    if !page.isEmpty {
      // Names that are not those of objects, as whole answers have them.
      json["items"] = page.map {
        ["name": String($0.dropFirst(bucket.count + 1)), "metadata": ["name": "a trap"], "size": "1"] as [String: Any]
      }
    }
    if start + page.count < names.count { json["nextPageToken"] = "t/\(start + page.count)" }
    return .json(json)
  }

  private func object(_ parts: [String]) -> LoopbackServer.Response {
    guard parts.count == 6, let data = read({ $0.objects[parts[3] + "/" + parts[5]] }) else {
      return .failure(404, "no such object")
    }
    return .init(body: data)
  }

  private func upload(_ bucket: String, _ request: LoopbackServer.Request) -> LoopbackServer.Response {
    let name = "\(bucket)/\(request.query["name"] ?? "")"
    if request.query["uploadType"] == "resumable" {
      let id = UUID().uuidString
      change { $0.sessions[id] = (name, Data()) }
      return .init(headers: ["Location": "http://127.0.0.1:\(port)/session/\(id)"])
    }
    change { $0.objects[name] = request.body }
    return .json(["name": name])
  }

  private func uploadPiece(_ id: String, _ request: LoopbackServer.Request) -> LoopbackServer.Response {
    guard let range = request.headers["content-range"], var session = read({ $0.sessions[id] }) else {
      return .failure(404, "no such session")
    }
    let sides = range.dropFirst("bytes ".count).split(separator: "/").map(String.init)
    let start = sides[0].split(separator: "-").first.flatMap { Int($0) }
    if let start {
      guard start == session.data.count else { return .failure(400, "a gap") }
      session.data += request.body
    }
    change { $0.sessions[id] = session }
    if session.data.count == Int(sides[1]) {
      change { $0.objects[session.object] = session.data }
      return .json(["name": session.object])
    }
    let headers = session.data.isEmpty ? [:] : ["Range": "bytes=0-\(session.data.count - 1)"]
    return .init(status: 308, headers: headers)
  }
}
