internal import Foundation

/// Compute Engine, without sockets, clock or machines: a request and the time give an answer, and what the machines'
/// host is to do. Whoever owns it calls `advance` when `nextWake` has come.
struct ComputeModel {
  let timing: EmulatorTiming
  /// Ends in `/compute/v1/`.
  let base: String
  /// Where VMs have their folders.
  let machineFolder: String
  /// Unknown fields are ignored.
  var isLenient = false
  var faults: FaultInjector
  /// Of a VM, by its number: only its host knows.
  var serialOutput: @Sendable (UInt64) -> String = { _ in "" }

  /// By path: `projects/p/global/instanceTemplates/t`.
  var templates: [String: JSON] = [:]
  var groups: [String: InstanceGroup] = [:]
  var instances: [String: Instance] = [:]
  var operations: [String: ComputeOperation] = [:]
  /// Names that an operation will give to something.
  var reserved: Set<String> = []
  /// Project and requestId -> what was asked, and the operation's path.
  var requestIDs: [String: (what: String, operation: String)] = [:]
  /// Who waits for an operation.
  var waiters: [String: [RequestID]] = [:]
  var waiting: [RequestID: String] = [:]
  /// An instance's path by its number.
  var instancePaths: [UInt64: String] = [:]
  var everMade: [String: Int] = [:]
  var bills = BillingBook()

  var agenda = TimerQueue<Deadline>()
  private(set) var outputs: [Output] = []
  private var lastID: UInt64 = 4_100_000_000_000_000_000

  enum Deadline {
    case run(String)
    case finish(String)
    case forget(String)
    case waitEnds(RequestID)
    /// A group's member is to have a VM now.
    case create(group: String, member: String)
    case repair(group: String, member: String, instance: UInt64?)
    case stage(UInt64)
    case start(UInt64)
    case boot(UInt64)
    /// Of an instance without a machine.
    case powerOff(UInt64)
    case outlive(UInt64)
    case preempt(UInt64)
  }

  init(
    timing: EmulatorTiming = EmulatorTiming(), base: String, machineFolder: String = "",
    faults: FaultInjector = FaultInjector()
  ) {
    self.timing = timing
    self.base = base
    self.machineFolder = machineFolder
    self.faults = faults
  }

  var nextWake: Date? { agenda.nextTime }

  mutating func takeOutputs() -> [Output] {
    defer { outputs = [] }
    return outputs
  }

  mutating func emit(_ output: Output) { outputs.append(output) }

  mutating func makeID() -> UInt64 {
    lastID += 7_919
    return lastID
  }

  mutating func advance(to now: Date) {
    while let (time, appointment) = agenda.popDue(at: now) {
      switch appointment {
      case .run(let operation): run(operation, at: time)
      case .finish(let operation): perform(operation, at: time)
      case .forget(let operation): forget(operation)
      case .waitEnds(let request): waitEnds(request)
      case .create(let group, let member): createVM(of: member, in: group, at: time)
      case .repair(let group, let member, let instance): repair(member, in: group, after: instance, at: time)
      case .stage(let id): move(id, from: .provisioning, to: .staging)
      case .start(let id): start(id, at: time)
      case .boot(let id): boot(id)
      case .powerOff(let id): ended(id, at: time)
      case .outlive(let id): outlive(id, at: time)
      case .preempt(let id): _ = preempt(id, graceSeconds: nil, at: time)
      }
    }
  }

  /// - Parameter operationError: what the operation that it starts is to fail with.
  mutating func handle(
    _ call: Call<ComputeMethod>, operationError: ComputeError? = nil, at now: Date
  ) throws(APIFailure) -> Reply {
    try checkPlace(call)
    let scope: ComputeScope =
      if let zone = call.names["zone"] { .zone(zone) } else if let region = call.names["region"] {
        .region(region)
      } else {
        .global
      }
    let request = Mutation(call: call, scope: scope, error: operationError, now: now)
    switch call.method {
    case .instanceTemplatesInsert: return try insertTemplate(request)
    case .instanceTemplatesDelete: return try deleteTemplate(request)
    case .instanceGroupManagersInsert, .regionInstanceGroupManagersInsert: return try insertGroup(request)
    case .instanceGroupManagersDelete, .regionInstanceGroupManagersDelete: return try deleteGroup(request)
    case .instanceGroupManagersResize, .regionInstanceGroupManagersResize: return try resizeGroup(request)
    case .instanceGroupManagersDeleteInstances, .regionInstanceGroupManagersDeleteInstances:
      return try deleteGroupInstances(request)
    case .instancesDelete: return try deleteInstance(request)
    case .instancesStop: return try stopInstance(request)
    case .globalOperationsWait, .regionOperationsWait, .zoneOperationsWait: return try wait(request)
    case .instanceTemplatesGet, .instanceTemplatesList, .instanceTemplatesAggregatedList, .instanceGroupManagersGet,
      .instanceGroupManagersList, .instanceGroupManagersAggregatedList, .instanceGroupManagersListManagedInstances,
      .instanceGroupManagersListErrors, .regionInstanceGroupManagersGet, .regionInstanceGroupManagersList,
      .regionInstanceGroupManagersListManagedInstances, .regionInstanceGroupManagersListErrors, .instanceGroupsGet,
      .instanceGroupsList, .instanceGroupsAggregatedList, .instanceGroupsListInstances, .regionInstanceGroupsGet,
      .regionInstanceGroupsList, .regionInstanceGroupsListInstances, .instancesGet, .instancesList,
      .instancesAggregatedList, .instancesGetSerialPortOutput, .imagesGet, .imagesList, .imagesGetFromFamily,
      .zonesGet, .zonesList, .regionsGet, .regionsList, .machineTypesGet, .machineTypesList,
      .machineTypesAggregatedList, .networksGet, .networksList, .autoscalersList,
      .regionAutoscalersList, .projectsGet, .globalOperationsAggregatedList, .globalOperationsGet,
      .globalOperationsList, .regionOperationsGet, .regionOperationsList, .zoneOperationsGet, .zoneOperationsList:
      return .now(.json(try read(call, scope: scope)))
    }
  }

  /// A request that changes something, or waits for it.
  struct Mutation {
    var call: Call<ComputeMethod>
    var scope: ComputeScope
    var error: ComputeError?
    var now: Date

    var project: String { call["project"] }
    var prefix: String { "projects/\(project)/\(scope.path)" }
  }

  private func checkPlace(_ call: Call<ComputeMethod>) throws(APIFailure) {
    if let zone = call.names["zone"], !ComputeCatalog.zones.contains(zone) {
      throw .invalid("zone", zone, "Unknown zone.")
    }
    if let region = call.names["region"], ComputeCatalog.zonesByRegion[region] == nil {
      throw .invalid("region", region, "Unknown region.")
    }
    let project = call["project"]
    guard ComputeNames.isName(project.split(separator: ":").last.map(String.init) ?? "") else {
      throw .invalid("project", project, "Must be a project's id: lower-case letters, digits and hyphens.")
    }
  }

  // MARK: Machines

  /// What the host reports about a VM.
  mutating func machine(_ id: UInt64, did event: VirtualMachineEvent, at now: Date) {
    switch event {
    case .booted: if let path = instancePaths[id] { instances[path]?.hasBooted = true }
    case .ended(.failed(let reason)): failed(id, reason, at: now)
    case .ended(.poweredOff), .ended(.killed): ended(id, at: now)
    }
  }
}
