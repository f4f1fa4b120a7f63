internal import Dagrun
internal import Foundation
package import GoogleCloud
package import Model

/// Finds what jobs have left behind in a project, and removes it: `dagrun job gc`.
///
///     let inventory = try await collector.inventory()
///     let journal = try …                                // after the inventory, see CollectionPlan
///     let plan = CollectionPlan(inventory, journal: journal, policy: policy, now: now)
///     … runner.adopt and runner.cancel for plan.abandonedJobs, each with its JobLock …
///     for await removal in collector.remove(plan) { … }
package struct JobCollector: Sendable {
  private let compute: ComputeClient
  private let pubSub: PubSubClient

  package init(project: String, transport: any CloudTransport) {
    compute = ComputeClient(project: project, transport: transport)
    pubSub = PubSubClient(project: project, transport: transport)
  }

  /// Everything in the project that carries our labels, of any home.
  package func inventory() async throws(CloudError) -> JobInventory {
    let marker = [MachineLabels.marker: "job"]
    let groups = try await compute.allInstanceGroups()
    let instances = try await compute.allInstances(.labels(marker))
    let templates = try await compute.instanceTemplates()
    let subscriptions = try await pubSub.subscriptions(labelled: marker)
    let topics = try await pubSub.topics(labelled: marker)

    var resources = groups.items.compactMap { group in
      group.scope.flatMap {
        JobResource(
          .group($0), group.name, labels: group.allInstancesConfig?.properties?.labels, created: group.creationTimestamp
        )
      }
    }
    let groupNames = Set(resources.map(\.name))
    resources += instances.items.compactMap { instance -> JobResource? in
      // A group's VM goes with the group.
      if let group = instance.createdBy.map(resourceName(ofLink:)), groupNames.contains(group) { return nil }
      return instance.zoneName.flatMap {
        JobResource(
          .instance(zone: $0), instance.name, labels: instance.labels, created: instance.creationTimestamp)
      }
    }
    resources += templates.compactMap {
      JobResource(.template, $0.name, labels: $0.properties.labels, created: $0.creationTimestamp)
    }
    resources += subscriptions.compactMap { item in
      item.id.flatMap { JobResource(.subscription, $0, labels: item.labels) }
    }
    resources += topics.compactMap { item in item.id.flatMap { JobResource(.topic, $0, labels: item.labels) } }
    return JobInventory(
      resources: resources, unreachable: Set(groups.unreachable + instances.unreachable).sorted())
  }

  /// Looks up in the journal what the inventory names, and what is unfinished.
  ///
  /// - Parameter isDriven: whether some process holds the job's lock.
  package static func journaled(
    _ inventory: JobInventory, in journal: any JobJournal, project: String, isDriven: (_ job: String) -> Bool
  ) throws -> [JournaledJob] {
    let unfinished = try journal.unfinishedJobs().filter { $0.project == project }
    var records = Dictionary(unfinished.map { ($0.name, $0) }) { first, _ in first }
    let named = Set(inventory.resources.map(\.job))
    for name in named where records[name] == nil { records[name] = try journal.job(named: name) }
    let jobs = records.values.compactMap { record -> JournaledJob? in
      let isDriven = isDriven(record.name)
      do {
        if !record.isFinished { _ = try Job(restoring: record) }
        return try JournaledJob(record, isDriven: isDriven)
      } catch {
        // One that has nothing in the cloud is not our business.
        return named.contains(record.name) ? .unreadable(record.name, isDriven: isDriven) : nil
      }
    }
    return jobs.sorted { $0.name < $1.name }
  }

  package struct Removal: Sendable {
    package var verdict: CollectionPlan.Verdict
    /// nil: it is gone.
    package var failure: CloudError?
  }

  /// Removes what the plan says, groups first, some at a time.
  package func remove(_ plan: CollectionPlan) -> AsyncStream<Removal> {
    AsyncStream { continuation in
      let work = Task {
        let doomed = plan.verdicts.filter { $0.fate == .remove }
        for order in Set(doomed.map(\.resource.kind.order)).sorted() {
          await remove(doomed.filter { $0.resource.kind.order == order }, continuation)
        }
        continuation.finish()
      }
      continuation.onTermination = { _ in work.cancel() }
    }
  }

  private func remove(
    _ verdicts: [CollectionPlan.Verdict], _ continuation: AsyncStream<Removal>.Continuation
  ) async {
    await withTaskGroup(of: Removal.self) { group in
      for (index, verdict) in verdicts.enumerated() {
        if index >= Self.removalsAtATime, let removal = await group.next() { continuation.yield(removal) }
        group.addTask { Removal(verdict: verdict, failure: await failure(toRemove: verdict.resource)) }
      }
      for await removal in group { continuation.yield(removal) }
    }
  }

  private func failure(toRemove resource: JobResource) async -> CloudError? {
    let id = RequestID(UUID())
    do throws(CloudError) {
      switch resource.kind {
      case .group(let scope):
        try await compute.wait(
          for: compute.deleteInstanceGroup(named: resource.name, in: scope, requestID: id))
      case .instance(let zone):
        try await compute.wait(for: compute.deleteInstance(named: resource.name, zone: zone, requestID: id))
      case .template:
        try await compute.wait(for: compute.deleteInstanceTemplate(named: resource.name, requestID: id))
      case .subscription: try await pubSub.deleteSubscription(resource.name)
      case .topic: try await pubSub.deleteTopic(resource.name)
      }
      return nil
    } catch  where error.reason == .notFound {
      return nil
    } catch {
      return error
    }
  }

  private static let removalsAtATime = 16
}

extension JobResource {
  /// nil when the labels are not ours.
  fileprivate init?(_ kind: Kind, _ name: String, labels: [String: String]?, created: String? = nil) {
    guard let labels, labels[MachineLabels.marker] == "job", let job = labels["dagrun-job"] else { return nil }
    let seconds = labels[MachineLabels.madeAt].flatMap { Int64($0) }
    let madeAt = seconds.flatMap { (0..<1 << 40).contains($0) ? Timestamp(microseconds: $0 * 1_000_000) : nil }
    self.init(
      kind, name, job: job, homeID: labels["dagrun-home"],
      createdAt: created.flatMap(Timestamp.init(iso8601:)) ?? madeAt)
  }
}
