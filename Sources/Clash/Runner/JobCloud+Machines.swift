internal import Dagrun
internal import GoogleCloud
internal import Model

/// What the cloud says of an attempt's VMs, for the ledger. A job never waits or fails for it: what cannot be read is
/// not known.
extension JobCloud {
  /// For each of these reads, retries included: removals and looks wait for them.
  private static let patienceSeconds = 10.0

  private var ledgerCompute: ComputeClient { compute.hurried(seconds: Self.patienceSeconds) }

  /// Those that there are.
  func instances(of plan: AttemptPlan, ofJob job: String) async -> [InstanceFact] {
    let filter = ComputeFilter.nameFits(Self.machineName(plan, job))
    do throws(CloudError) {
      let found =
        switch plan.candidate.place {
        case .zone(let zone): try await ledgerCompute.instances(zone: zone, filter)
        case .region: try await ledgerCompute.allInstances(filter).items
        }
      let group = plan.resourceName(job: job)
      // Another's VM may have such a name too.
      return found.filter { $0.createdBy.map(resourceName(ofLink:)) == group }.compactMap(InstanceFact.init)
    } catch {
      return []
    }
  }

  /// On those that there are and were.
  func addOperations(to found: inout MachineFindings, of plan: AttemptPlan, ofJob job: String) async {
    let group = "instanceGroupManagers/\(plan.resourceName(job: job))"
    let filter = ComputeFilter.targetFits(".*/(instances/\(Self.machineName(plan, job))|\(group))")
    var operations: [ComputeOperation] = []
    do throws(CloudError) {
      switch plan.candidate.place {
      case .zone(let zone): operations = try await ledgerCompute.operations(zone: zone, filter)
      case .region(let region):
        let all = try await ledgerCompute.allOperations(filter)
        guard !all.unreachable.contains(where: { Scope(link: $0).region == region }) else { return }
        operations = all.items
      }
    } catch {
      return
    }
    found.areOperationsComplete = operations.contains {
      $0.targetLink?.hasSuffix("/\(group)") == true && $0.operationType == "insert"
    }
    let machine = Self.machinePrefix(plan, job)
    found.operations = operations.filter { operation in
      guard let link = operation.targetLink, link.contains("/instances/") else { return false }
      let name = resourceName(ofLink: link)
      return name.hasPrefix(machine) && !name.dropFirst(machine.count).contains("-")
    }.compactMap(OperationFact.init)
  }

  /// A group gives its VMs its own name and an end of four characters.
  private static func machineName(_ plan: AttemptPlan, _ job: String) -> String {
    "\(machinePrefix(plan, job))[a-z0-9]+"
  }

  private static func machinePrefix(_ plan: AttemptPlan, _ job: String) -> String { "\(plan.resourceName(job: job))-" }
}

extension InstanceFact {
  fileprivate init?(_ instance: Instance) {
    guard let id = instance.id else { return nil }
    self.init(
      id: id, name: instance.name, zone: instance.zoneName,
      createdAt: instance.creationTimestamp.flatMap(Timestamp.init(iso8601:)),
      startedAt: instance.lastStartTimestamp.flatMap(Timestamp.init(iso8601:)),
      stoppedAt: instance.lastStopTimestamp.flatMap(Timestamp.init(iso8601:)),
      isOff: [.terminated, .stopped, .suspended].contains(instance.status))
  }
}

extension OperationFact {
  fileprivate init?(_ operation: ComputeOperation) {
    // One that failed has changed nothing: a group that finds no capacity leaves one each time that it tries again.
    guard operation.error == nil, let type = operation.operationType, let link = operation.targetLink,
      let id = operation.targetId, let asked = operation.insertTime.flatMap(Timestamp.init(iso8601:))
    else { return nil }
    let zone: String? = if case .zone(let name) = operation.scope { name } else { nil }
    self.init(
      type: type, instanceID: id, instanceName: resourceName(ofLink: link), zone: zone, askedAt: asked,
      endedAt: operation.isDone ? operation.endTime.flatMap(Timestamp.init(iso8601:)) : nil)
  }
}
