internal import Foundation

extension ComputeModel {
  mutating func insertTemplate(_ request: Mutation) throws(APIFailure) -> Reply {
    let body = request.call.body
    let name = body["name"].text
    let path = "\(request.prefix)/instanceTemplates/\(name ?? "")"
    if let reply = try repeated(request, what: "insert \(path)") { return reply }
    try Schema.compute.check(body, is: "InstanceTemplate", ignoresUnknown: isLenient)
    try ComputeNames.check(name, field: "resource.name")
    try TemplateRules.check(body["properties"])
    guard templates[path] == nil, !reserved.contains(path) else { throw .alreadyExists(path) }
    let id = makeID()
    var template = body
    template["kind"] = "compute#instanceTemplate"
    template["id"] = "\(id)"
    template["creationTimestamp"] = .string(request.now.computeText)
    template["selfLink"] = .string(base + path)
    template["properties"] = Self.completed(body["properties"], fingerprint: id)
    reserved.insert(path)
    return begin(
      request, type: "insert", target: path, targetID: id, what: "insert \(path)",
      work: .insertTemplate(path, template))
  }

  mutating func deleteTemplate(_ request: Mutation) throws(APIFailure) -> Reply {
    let path = "\(request.prefix)/instanceTemplates/\(request.call["name"])"
    if let reply = try repeated(request, what: "delete \(path)") { return reply }
    guard let template = templates[path] else { throw .notFound(path) }
    if let user = user(ofTemplate: path) {
      throw APIFailure(400, "resourceInUseByAnotherResource", Self.inUse(template: path, by: user))
    }
    return begin(
      request, type: "delete", target: path, targetID: UInt64(template["id"].text ?? "") ?? 0, what: "delete \(path)",
      work: .deleteTemplate(path))
  }

  /// A group that needs it.
  func user(ofTemplate path: String) -> String? {
    groups.values.filter { $0.template == path }.map(\.path).min()
  }

  static func inUse(template: String, by user: String) -> String {
    "The instance_template resource '\(template)' is already being used by '\(user)'"
  }

  /// What Google adds to what was sent.
  private static func completed(_ properties: JSON, fingerprint: UInt64) -> JSON {
    var properties = properties
    var metadata = properties["metadata"] == .null ? [:] : properties["metadata"]
    metadata["kind"] = "compute#metadata"
    metadata["fingerprint"] = .string(Self.fingerprint(fingerprint))
    properties["metadata"] = metadata
    properties["disks"] = .array(
      properties["disks"].elements.enumerated().map { index, disk in
        var disk = disk
        disk["kind"] = "compute#attachedDisk"
        disk["index"] = .integer(Int64(index))
        if disk["mode"] == .null { disk["mode"] = "READ_WRITE" }
        if disk["type"] == .null { disk["type"] = "PERSISTENT" }
        return disk
      })
    properties["networkInterfaces"] = .array(
      properties["networkInterfaces"].elements.enumerated().map { index, interface in
        var interface = interface
        interface["kind"] = "compute#networkInterface"
        if interface["name"] == .null { interface["name"] = .string("nic\(index)") }
        return interface
      })
    return properties
  }

  /// Eight bytes in base64, as Google's fingerprints are.
  static func fingerprint(_ number: UInt64) -> String {
    withUnsafeBytes(of: (number &* 0x9e37_79b9_7f4a_7c15).bigEndian) { Data($0).base64EncodedString() }
  }
}
