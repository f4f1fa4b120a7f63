import Foundation

@testable import CloudEmulator

/// An emulated cloud whose clock is moved by hand, and whose VMs do as they are told.
struct TestCloud {
  var emulation: EmulatedCloud
  var now = Date(timeIntervalSince1970: 1_800_000_000)
  /// Answers that came, by the request.
  var answers: [RequestID: APIResponse] = [:]
  var dropped: Set<RequestID> = []
  var commands: [HostCommand] = []
  /// VMs that are told to go off stay on until `powerOff` is called.
  var machinesLinger = false
  private var lastRequest: UInt64 = 0

  init(_ change: (inout EmulatorOptions) -> Void = { _ in }) {
    var options = EmulatorOptions()
    options.timing.pendingSeconds = 1
    options.timing.runningSeconds = 1
    options.timing.provisioningSeconds = 1
    options.timing.stagingSeconds = 1
    change(&options)
    emulation = EmulatedCloud(
      options: options, address: "127.0.0.1:1", door: FrontDoor(secret: ""), machineFolder: "/machines",
      blobs: BlobStore(folder: nil),
      key: .ofThisProcess)
  }

  struct Answer {
    var status: Int
    var json: JSON
    var headers: [String: String]
    var body: Data

    init(_ response: APIResponse) {
      status = response.status
      json = (try? JSON(parsing: response.body)) ?? .null
      headers = response.headers
      body = response.body
    }

    var reason: String? { json["error"]["errors"].elements.first?["reason"].text }
    var code: String? { json["error"]["status"].text }
    var message: String { json["error"]["message"].text ?? "" }
  }

  /// - Returns: what it is known by; its answer may be there already.
  mutating func begin(
    _ method: String, _ target: String, _ body: JSON? = nil, headers: [String: String] = [:], data: Data? = nil
  ) -> RequestID {
    lastRequest += 1
    var headers = headers
    if body != nil, headers["content-type"] == nil { headers["content-type"] = "application/json" }
    let id = RequestID(value: lastRequest)
    emulation.receive(
      APIRequest(method, target, headers: headers, body: data ?? body?.data ?? Data()), id, at: now)
    settle()
    return id
  }

  func answer(to id: RequestID) -> Answer? { answers[id].map(Answer.init) }

  struct NoAnswer: Error {}

  /// A request that is answered at once.
  mutating func send(
    _ method: String, _ target: String, _ body: JSON? = nil, headers: [String: String] = [:], data: Data? = nil
  ) throws -> Answer {
    let id = begin(method, target, body, headers: headers, data: data)
    guard let answer = answer(to: id) else { throw NoAnswer() }
    return answer
  }

  /// Everything happens that would happen in so many seconds.
  mutating func pass(_ seconds: Double) {
    let end = now.addingTimeInterval(seconds)
    while let next = emulation.nextWake, next <= end {
      now = max(now, next)
      emulation.advance(to: now)
      settle()
    }
    now = end
    settle()
  }

  /// A VM turns itself off.
  mutating func powerOff(_ id: UInt64) {
    emulation.machine(id, did: .ended(.poweredOff), at: now)
    settle()
  }

  private mutating func settle() {
    var outputs = emulation.takeOutputs()
    while !outputs.isEmpty {
      for output in outputs {
        switch output {
        case .answer(let id, let response): answers[id] = response
        case .drop(let id): dropped.insert(id)
        case .machine(let command):
          commands.append(command)
          switch command {
          case .boot(let machine): emulation.machine(machine.id, did: .booted, at: now)
          case .preempt(let id, _), .shutDown(let id, _):
            if !machinesLinger { emulation.machine(id, did: .ended(.poweredOff), at: now) }
          case .kill(let id): emulation.machine(id, did: .ended(.killed), at: now)
          case .forget: break
          }
        }
      }
      outputs = emulation.takeOutputs()
    }
  }

  // MARK: Shortcuts

  static let project = "/compute/v1/projects/proj"
  static let zone = project + "/zones/europe-west1-b"

  static func template(
    _ name: String, machineType: String = "n1-standard-4",
    image: String = "projects/cos-cloud/global/images/family/cos-stable",
    metadata: [String: String] = [:], labels: [String: String] = [:], scheduling: JSON = .null
  ) -> JSON {
    var properties: JSON = [
      "machineType": .string(machineType),
      "disks": [["boot": true, "autoDelete": true, "initializeParams": ["sourceImage": .string(image)]]],
      "networkInterfaces": [["network": "global/networks/default"]],
      "metadata": [
        "items": .array(
          metadata.sorted { $0.key < $1.key }.map { ["key": .string($0.key), "value": .string($0.value)] })
      ],
      "scheduling": scheduling,
    ]
    if !labels.isEmpty { properties["labels"] = JSON(texts: labels) }
    return ["name": .string(name), "properties": properties]
  }

  static let spot: JSON = [
    "provisioningModel": "SPOT", "automaticRestart": false, "onHostMaintenance": "TERMINATE",
    "instanceTerminationAction": "STOP",
  ]

  static func group(_ name: String, template: String, size: Int = 1, repairs: Bool = true) -> JSON {
    [
      "name": .string(name), "baseInstanceName": .string(name), "targetSize": .integer(Int64(size)),
      "instanceTemplate": .string("global/instanceTemplates/\(template)"),
      "instanceLifecyclePolicy": ["defaultActionOnFailure": repairs ? "REPAIR" : "DO_NOTHING"],
    ]
  }

  /// A template and a group of the name `job` in europe-west1-b; its VM is RUNNING unless something prevents it.
  mutating func makeGroup(scheduling: JSON = .null, repairs: Bool = true, image: String? = nil) throws {
    var template = Self.template("job", scheduling: scheduling)
    if let image { template = Self.template("job", image: image, scheduling: scheduling) }
    _ = try send("POST", Self.project + "/global/instanceTemplates", template)
    pass(2)
    _ = try send("POST", Self.zone + "/instanceGroupManagers", Self.group("job", template: "job", repairs: repairs))
    pass(2)
    pass(2)
  }

  mutating func members(_ target: String = zone + "/instanceGroupManagers/job") throws -> [JSON] {
    try send("POST", target + "/listManagedInstances").json["managedInstances"].elements
  }

  var bootedIDs: [UInt64] {
    commands.compactMap { command in
      if case .boot(let machine) = command { machine.id } else { nil }
    }
  }
}
