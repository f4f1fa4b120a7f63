internal import Foundation

/// The whole emulated cloud, without sockets, clock or machines: which service a request is for, what goes wrong with
/// it, what is counted.
///
/// Whoever owns it hands it requests and what machines do, calls `advance` when `nextWake` has come, and carries out
/// what `takeOutputs` gives after each of these.
struct EmulatedCloud {
  var compute: ComputeModel
  var pubSub: PubSubModel
  var storage: StorageModel
  var secrets: SecretModel
  var logging = LoggingModel()
  var tokens: TokenModel
  let requiresTokens: Bool
  private let machineRoles: MachineRoles?
  private let door: FrontDoor
  private var requests: [String: Int] = [:]
  /// Requests that a fault keeps waiting.
  private var delayed = TimerQueue<(APIRequest, RequestID)>()
  /// Whose answer is lost once it is there.
  private var losing: Set<RequestID> = []
  /// Partial answers and batches, by the request that waits.
  private var masks: [RequestID: FieldMask] = [:]
  private var batches: [RequestID: Batch] = [:]
  private var batchOfPart: [RequestID: (batch: RequestID, index: Int)] = [:]
  private var lastPart: UInt64 = 1 << 62
  private var outputs: [Output] = []
  private let recorder: (@Sendable (Exchange) -> Void)?
  /// Requests whose answers the recorder waits for.
  private var recorded: [RequestID: (request: APIRequest, method: String)] = [:]

  init(
    options: EmulatorOptions, address: String, door: FrontDoor, machineFolder: String, blobs: BlobStore, key: SigningKey
  ) {
    let root = "http://\(address)/"
    compute = ComputeModel(
      timing: options.timing, base: root + "compute/v1/", machineFolder: machineFolder,
      faults: FaultInjector(rules: options.faults, seed: options.seed))
    compute.isLenient = options.isLenient
    pubSub = PubSubModel(timing: options.timing, delivery: options.delivery, seed: options.seed)
    storage = StorageModel(address: root, requiresBuckets: options.requiresBuckets, blobs: blobs)
    secrets = SecretModel(values: options.secrets)
    tokens = TokenModel(address: root, key: key)
    requiresTokens = options.requiresTokens
    machineRoles = options.machineRoles
    self.door = door
    recorder = options.recorder
  }

  var nextWake: Date? {
    [compute.nextWake, pubSub.nextWake, delayed.nextTime].compactMap(\.self).min()
  }

  mutating func advance(to now: Date) {
    while let (_, (request, id)) = delayed.popDue(at: now) { serve(request, id, at: now) }
    compute.advance(to: now)
    pubSub.advance(to: now)
  }

  mutating func takeOutputs() -> [Output] {
    var all: [Output] = []
    // An answer may complete a batch, which is an answer again.
    while true {
      let new = outputs + compute.takeOutputs() + pubSub.takeOutputs()
      outputs = []
      if new.isEmpty { return all }
      for output in new {
        if let last = finished(output) { all.append(last) }
      }
    }
  }

  mutating func machine(_ id: UInt64, did event: VirtualMachineEvent, at now: Date) {
    compute.machine(id, did: event, at: now)
  }

  /// Whoever asked is gone.
  mutating func abandon(_ id: RequestID) {
    compute.abandon(id)
    pubSub.abandon(id)
    losing.remove(id)
    masks[id] = nil
    recorded[id] = nil
    if batches.removeValue(forKey: id) != nil {
      for (part, place) in batchOfPart where place.batch == id {
        batchOfPart[part] = nil
        abandon(part)
      }
    }
  }

  // MARK: Requests

  mutating func receive(_ request: APIRequest, _ id: RequestID, at now: Date) {
    if request.path.hasPrefix("/batch") { return receiveBatch(request, id, at: now) }
    let method = Self.method(of: request) ?? "unknown"
    requests[method, default: 0] += 1
    if recorder != nil { recorded[id] = (request, method) }
    guard let fault = compute.faults.ofRequest(method: method, path: request.path) else {
      return serve(request, id, at: now)
    }
    switch fault {
    case .status(let status, let reason, let message, let retryAfterSeconds):
      let failure = Self.failure(
        of: method, status, reason, message ?? "The emulator was told to answer so.", retryAfterSeconds)
      outputs.append(.answer(id, failure.response))
    case .delay(let seconds): delayed.add((request, id), at: now.addingTimeInterval(seconds))
    case .dropped: outputs.append(.drop(id))
    case .answerLost:
      losing.insert(id)
      serve(request, id, at: now)
    case .operationError(let code, let message):
      serve(
        request, id, operationError: ComputeError(code: code, message: message ?? "The emulator was told to fail."),
        at: now)
    }
  }

  private static func failure(
    of method: String, _ status: Int, _ reason: String?, _ message: String, _ retryAfterSeconds: Int?
  ) -> APIFailure {
    let usual: (reason: String, code: String) =
      switch status {
      case 400: ("invalid", "INVALID_ARGUMENT")
      case 401: ("authError", "UNAUTHENTICATED")
      case 403: ("forbidden", "PERMISSION_DENIED")
      case 404: ("notFound", "NOT_FOUND")
      case 409: ("alreadyExists", "ALREADY_EXISTS")
      case 429: ("rateLimitExceeded", "RESOURCE_EXHAUSTED")
      case 499: ("cancelled", "CANCELLED")
      case 500: ("internalError", "INTERNAL")
      case 504: ("backendError", "DEADLINE_EXCEEDED")
      default: ("backendError", "UNAVAILABLE")
      }
    let isCode = reason.map { $0 == $0.uppercased() } ?? false
    return APIFailure(
      status, isCode ? usual.reason : reason ?? usual.reason, message,
      code: isCode ? reason : method.hasPrefix("compute.") ? nil : usual.code, retryAfterSeconds: retryAfterSeconds)
  }

  private mutating func serve(
    _ request: APIRequest, _ id: RequestID, operationError: ComputeError? = nil, at now: Date
  ) {
    if let text = request.value(of: "fields") ?? request.value(of: "$fields") {
      guard let mask = FieldMask(text) else {
        return outputs.append(.answer(id, APIFailure.badRequest("Invalid field selection \(text)").response))
      }
      masks[id] = mask
    }
    do throws(APIFailure) {
      switch try route(request, id, operationError, at: now) {
      case .now(let response): outputs.append(.answer(id, response))
      case .held: break
      }
    } catch {
      outputs.append(.answer(id, error.response))
    }
  }

  private mutating func route(
    _ request: APIRequest, _ id: RequestID, _ operationError: ComputeError?, at now: Date
  ) throws(APIFailure) -> Reply {
    if request.path == "/token" || request.path == "/v1/token" {
      guard request.method == "POST" else { throw .noSuchMethod(request) }
      return .now(tokens.grant(request, at: now))
    }
    if request.path.hasSuffix(":generateAccessToken"), request.method == "POST" {
      return .now(tokens.impersonate(request, at: now))
    }
    if requiresTokens, !tokens.isValid(request.bearerToken, at: now) { throw .unauthenticated }
    if let machineRoles, let account = tokens.machineAccount(of: request.bearerToken),
      let method = Self.method(of: request), !machineRoles.allow(method)
    {
      throw .notAllowed(method, account)
    }
    if request.path.hasPrefix(Self.computeBase) {
      let path = request.path.dropFirst(Self.computeBase.count)
      guard var call = try ComputeMethod.routes.find(request, path: path, id: id) else { throw .noSuchMethod(request) }
      call.body = try Self.body(of: request)
      return try compute.handle(call, operationError: operationError, at: now)
    }
    if request.path.hasPrefix("/v1/") {
      let path = request.path.dropFirst("/v1/".count)
      if var call = try PubSubMethod.routes.find(request, path: path, id: id) {
        call.body = try Self.body(of: request)
        return try pubSub.handle(call, at: now)
      }
      if let call = try SecretMethod.routes.find(request, path: path, id: id) { return .now(try secrets.handle(call)) }
    }
    if request.path.hasPrefix("/v2/"),
      var call = try LoggingMethod.routes.find(request, path: request.path.dropFirst("/v2/".count), id: id)
    {
      call.body = try Self.body(of: request)
      return .now(try logging.handle(call, at: now))
    }
    if var call = try StorageMethod.routes.find(request, path: request.path.dropFirst(), id: id) {
      let isMetadata = call.method == .objectsUpload && call.query("uploadType") == "resumable"
      if call.method == .bucketsInsert || isMetadata { call.body = try Self.body(of: request) }
      return .now(try storage.handle(call, at: now))
    }
    throw .noSuchMethod(request)
  }

  private static let computeBase = "/compute/v1/"

  private static func body(of request: APIRequest) throws(APIFailure) -> JSON {
    guard !request.body.isEmpty else { return [:] }
    guard request.isJSON else {
      throw APIFailure(
        415, "unsupportedMediaType", "The body must be JSON, and be said to be: 'Content-Type: application/json'.",
        code: "INVALID_ARGUMENT")
    }
    guard let body = try? JSON(parsing: request.body), case .object = body else {
      throw .badRequest("Invalid JSON payload received. Expected an object.")
    }
    return body
  }

  /// Google's name of the method; nil: there is no such method.
  private static func method(of request: APIRequest) -> String? {
    var plain = request
    plain.query = []
    let id = RequestID(value: 0)
    if request.path == "/token" || request.path == "/v1/token" { return "oauth2.token" }
    if request.path.hasSuffix(":generateAccessToken") {
      return "iamcredentials.projects.serviceAccounts.generateAccessToken"
    }
    if request.path.hasPrefix(computeBase) {
      return try? ComputeMethod.routes.find(plain, path: request.path.dropFirst(computeBase.count), id: id)?.method
        .rawValue
    }
    if request.path.hasPrefix("/v1/") {
      let path = request.path.dropFirst("/v1/".count)
      if let call = try? PubSubMethod.routes.find(plain, path: path, id: id) { return call.method.rawValue }
      if let call = try? SecretMethod.routes.find(plain, path: path, id: id) { return call.method.rawValue }
    }
    if request.path.hasPrefix("/v2/"),
      let call = try? LoggingMethod.routes.find(plain, path: request.path.dropFirst("/v2/".count), id: id)
    {
      return call.method.rawValue
    }
    return try? StorageMethod.routes.find(plain, path: request.path.dropFirst(), id: id)?.method.rawValue
  }

  // MARK: Answers

  /// What becomes of an output on its way out; nil: it stays inside.
  private mutating func finished(_ output: Output) -> Output? {
    record(output)
    guard case .answer(let id, var response) = output else {
      if case .drop(let id) = output, let place = batchOfPart.removeValue(forKey: id) {
        batches[place.batch] = nil
        return .drop(place.batch)
      }
      return output
    }
    if let mask = masks.removeValue(forKey: id), response.status < 300, let json = try? JSON(parsing: response.body) {
      response.body = mask.apply(to: json).data
    }
    if losing.remove(id) != nil { return .drop(id) }
    guard let place = batchOfPart.removeValue(forKey: id) else { return .answer(id, response) }
    batches[place.batch]?.answers[place.index] = response
    guard let batch = batches[place.batch], batch.isComplete else { return nil }
    batches[place.batch] = nil
    return .answer(place.batch, batch.response)
  }

  private mutating func record(_ output: Output) {
    guard let recorder else { return }
    let (id, response): (RequestID, APIResponse?) =
      switch output {
      case .answer(let id, let response): (id, response)
      case .drop(let id): (id, nil)
      case .machine: (RequestID(value: 0), nil)
      }
    guard let (request, method) = recorded.removeValue(forKey: id) else { return }
    recorder(
      Exchange(
        method: method, path: request.path, query: Dictionary(request.query.map { ($0.name, $0.value) }) { $1 },
        body: request.body, answer: response?.body, status: response?.status ?? 0, isAnswerLost: losing.contains(id)))
  }

  // MARK: Batches

  /// Several requests in one, as gcloud sends them: `POST /batch/compute/v1`.
  private mutating func receiveBatch(_ request: APIRequest, _ id: RequestID, at now: Date) {
    guard var batch = Batch(request, door: door) else {
      return outputs.append(.answer(id, APIFailure.badRequest("Malformed batch.").response))
    }
    guard !batch.requests.isEmpty else { return outputs.append(.answer(id, batch.response)) }
    let parts = batch.requests
    batch.requests = []
    batches[id] = batch
    for (index, part) in parts.enumerated() {
      lastPart += 1
      let partID = RequestID(value: lastPart)
      batchOfPart[partID] = (id, index)
      if let part {
        receive(part, partID, at: now)
      } else {
        outputs.append(.answer(partID, APIFailure.noSecret.response))
      }
    }
  }

  // MARK: Inventory

  var inventory: Inventory {
    var inventory = Inventory()
    inventory.instanceTemplates = compute.templates.keys.sorted()
    inventory.instanceGroupManagers = compute.groups.keys.sorted()
    inventory.instances = compute.instances.values.sorted { $0.path < $1.path }.map {
      Inventory.InstanceRow(
        name: $0.path, status: $0.status.rawValue, machineType: $0.machineType, isSpot: $0.isSpot,
        startedAt: $0.startedAt)
    }
    inventory.topics = pubSub.topics.keys.sorted()
    inventory.subscriptions = pubSub.subscriptions.values.sorted { $0.path < $1.path }.map {
      Inventory.SubscriptionRow(name: $0.path, topic: $0.topic, unacknowledged: $0.messages.count)
    }
    inventory.buckets = storage.buckets.sorted()
    inventory.objects = storage.objects.flatMap { bucket, objects in
      objects.map { Inventory.ObjectRow(name: "\(bucket)/\($0.key)", bytes: $0.value["size"].whole ?? 0) }
    }.sorted { $0.name < $1.name }
    inventory.everMade = compute.everMade.merging(pubSub.everMade) { $1 }
    if logging.countEverMade > 0 { inventory.everMade["logEntries"] = logging.countEverMade }
    inventory.requests = requests
    return inventory
  }
}
