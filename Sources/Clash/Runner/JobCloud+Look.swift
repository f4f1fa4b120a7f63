internal import Dagrun
internal import Foundation
internal import GoogleCloud

/// Reading what is there.
extension JobCloud {
  /// - Parameter includesErrors: reads the group's list of errors too, though its VM may just be coming. It is read
  ///   anyway where there is no VM. Of a VM that has ended only what the group says of its last attempt counts: the
  ///   list also has what went wrong before it was up.
  func inspect(
    _ plan: AttemptPlan, ofJob job: String, console: ConsoleReading, includesErrors: Bool
  ) async -> [JobEvent] {
    let answer = await look(at: plan, ofJob: job, console: console, includesErrors: includesErrors)
    // A VM that is up can say since when.
    guard case .inspected(_, .present(let machine?, _)) = answer, machine.state == .running else { return [answer] }
    return [.machinesFound(plan, MachineFindings(instances: await instances(of: plan, ofJob: job))), answer]
  }

  private func look(
    at plan: AttemptPlan, ofJob job: String, console: ConsoleReading, includesErrors: Bool
  ) async -> JobEvent {
    let name = plan.resourceName(job: job)
    let scope = plan.candidate.place.scope
    do throws(CloudError) {
      let instances = try await compute.managedInstances(ofGroup: name, in: scope)
      let instance = instances.first
      var machine = instance.map { GroupReport.Machine(zone: $0.zone ?? plan.candidate.place.zone, state: $0.state) }
      if let name = instance?.instanceName, let zone = machine?.zone, let state = machine?.state, console.reads(state) {
        machine?.console = await serialConsole(ofInstance: name, zone: zone)
      }
      var faults = instance?.faults ?? []
      let needsErrors = machine == nil || (includesErrors && machine?.state == .coming)
      if faults.isEmpty, needsErrors {
        faults = try await compute.errors(ofGroup: name, in: scope).compactMap(\.error)
      }
      return .inspected(
        plan,
        .present(
          machine,
          faults: faults.map { CloudError([$0], operation: "make the VM of", subject: name, project: compute.project) })
      )
    } catch  where error.reason == .notFound {
      return .inspected(plan, .gone)
    } catch {
      return .inspectionFailed(plan, error)
    }
  }

  /// Its end. nil where it cannot be read: a VM that is off has none, and a person's own role may not allow it.
  private func serialConsole(ofInstance name: String, zone: String) async -> SerialConsole? {
    do throws(CloudError) {
      let output = try await compute.serialPortOutput(ofInstance: name, zone: zone, start: -Self.consoleBytes)
      return output.contents.map { SerialConsole($0) }
    } catch {
      return nil
    }
  }

  private static let consoleBytes: Int64 = 65_536

  enum Finding: Sendable {
    /// - isOver: The subscription is gone, and with it the result: somebody took it, and died before all was removed.
    /// - askedAt: By Google's clock, when the attempt was asked for.
    case found(JobRequest, AttemptPlan, askedAt: Timestamp?, isOver: Bool)
    /// Why not, in words.
    case nothing(String)
    /// It is there, and does not say what it is.
    case unreadable(String)
    case failed(CloudError)
  }

  /// A job that some other machine has begun: its newest template has the request, its group tells the place.
  ///
  /// - Parameter likely: what it asks for, for a template that had no room to say it.
  func find(job name: String, likely: JobRequest? = nil) async -> Finding {
    do throws(CloudError) {
      guard let (template, number) = try await templates(ofJob: name).max(by: { $0.attempt < $1.attempt }) else {
        return .nothing(
          "there is no job \(name) in the project \(compute.project): it has ended, or never was. "
            + "`dagrun job list` shows those of this home")
      }
      guard let request = Self.request(of: template, name) ?? Self.request(likely, of: template) else {
        return .unreadable(
          "job \(name) was begun elsewhere, and its template does not say what it is (it may be too large for that, or of "
            + "another version of dagrun); attach to it in the home that began it")
      }
      let groups = try await compute.allInstanceGroups(.name(template.name))
      let place: Location
      let owner = JobOwner(request: request)
      switch groups.items.first(where: { $0.name == template.name && owner.owns($0) })?.scope {
      case .zone(let zone): place = .zone(zone)
      case .region(let region): place = .region(region)
      case .global, nil:
        guard groups.unreachable.isEmpty else {
          throw CloudError(
            .unavailable, operation: "find the group of job", subject: name,
            message: "cannot look into \(groups.unreachable.joined(separator: ", "))", hint: "try again in some minutes"
          )
        }
        // Its VM has removed the group already. Then any place will do to say so.
        place = request.spec.config.firstPlace
      }
      let candidate = MachineCandidate(
        machineType: template.properties.machineType,
        isSpot: template.properties.scheduling?.provisioningModel == .spot, place: place)
      return .found(
        request, AttemptPlan(number: number, candidate: candidate),
        askedAt: template.creationTimestamp.flatMap(Timestamp.init(iso8601:)),
        isOver: try await subscription(of: request) == nil)
    } catch {
      return .failed(error)
    }
  }

  /// False where it cannot be found out: then what is asked of it next will tell.
  func isSubscriptionGone(_ request: JobRequest) async -> Bool {
    do throws(CloudError) { return try await subscription(of: request) == nil } catch { return false }
  }

  private func subscription(of request: JobRequest) async throws(CloudError) -> PubSubSubscription? {
    let pubSub = pubSub
    return try await found { () throws(CloudError) in try await pubSub.subscription(request.name) }
  }

  private static func request(of template: InstanceTemplate, _ name: String) -> JobRequest? {
    guard let text = template.properties.metadata?["dagrun-job"],
      let request = try? JSONDecoder().decode(JobRequest.self, from: Data(text.utf8)), request.name == name
    else { return nil }
    return request
  }

  private static func request(_ likely: JobRequest?, of template: InstanceTemplate) -> JobRequest? {
    guard var request = likely, let homeID = template.properties.labels?["dagrun-home"] else { return nil }
    request.origin.homeID = homeID
    return request
  }

  /// Those of its attempts, in no order.
  func templates(ofJob name: String) async throws(CloudError) -> [(template: InstanceTemplate, attempt: Int)] {
    try await compute.instanceTemplates(.nameFits("\(name)-[0-9]+")).compactMap { template in
      guard let labels = template.properties.labels, labels[MachineLabels.marker] == "job",
        labels["dagrun-job"] == name,
        // Each attempt before it has a place in memory, and no job has had more.
        let number = labels["dagrun-attempt"].flatMap({ Int($0) }), (1...100_000).contains(number)
      else { return nil }
      return (template, number)
    }
  }
}

extension ManagedInstance {
  fileprivate var state: GroupReport.Machine.State {
    guard let instanceStatus else { return .coming }
    if instanceStatus == .running { return .running }
    return instanceStatus.isEnding ? .ended : .coming
  }
}

extension ConsoleReading {
  fileprivate func reads(_ state: GroupReport.Machine.State) -> Bool {
    switch (self, state) {
    case (.ofAny, .running), (.ofAny, .ended), (.ofEnded, .ended): true
    case (.never, _), (_, .coming), (.ofEnded, .running): false
    }
  }
}

extension JobConfig {
  fileprivate var firstPlace: Location {
    if let zone = zones.first { return .zone(zone) }
    if let region = regions.first { return .region(region) }
    return .zone(Self.defaultZone)
  }
}
