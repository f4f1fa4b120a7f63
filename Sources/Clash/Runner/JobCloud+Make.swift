internal import Dagrun
internal import Foundation
internal import GoogleCloud

extension JobOwner {
  /// Of a topic or a subscription, which Google gives no date: `job gc` has to know how old it is.
  fileprivate func datedLabels() -> [String: String] {
    labels.merging([MachineLabels.madeAt: String(Timestamp(Date()).microseconds / 1_000_000)]) { $1 }
  }
}

/// Making things. Each returns false when something of the name is there already, and is not the job's.
extension JobCloud {
  func makeTopic(_ request: JobRequest) async throws(CloudError) -> Bool {
    let owner = JobOwner(request: request)
    let regions = request.spec.config.allowedPersistenceRegions
    let topic = PubSubTopic(
      labels: owner.datedLabels(),
      messageStoragePolicy: regions.isEmpty ? nil : .init(allowedPersistenceRegions: regions))
    do throws(CloudError) {
      try await pubSub.createTopic(request.name, topic)
      return true
    } catch  where error.reason == .alreadyExists {
      return owner.owns(labels: try await pubSub.topic(request.name).labels)
    }
  }

  func makeSubscription(_ request: JobRequest) async throws(CloudError) -> Bool {
    let owner = JobOwner(request: request)
    let subscription = PubSubSubscription(
      ackDeadlineSeconds: acknowledgeLimitSeconds,
      messageRetention: DurationString(seconds: Self.retentionSeconds),
      expirationPolicy: .init(ttl: DurationString(seconds: Self.expirationSeconds)), labels: owner.datedLabels())
    do throws(CloudError) {
      try await pubSub.createSubscription(request.name, topic: request.name, subscription)
      return true
    } catch  where error.reason == .alreadyExists {
      return owner.owns(labels: try await pubSub.subscription(request.name).labels)
    }
  }

  /// A result waits so long for somebody to take it.
  private static let retentionSeconds = 7.0 * 86_400
  /// A forgotten subscription goes by itself.
  private static let expirationSeconds = 31.0 * 86_400

  func makeTemplate(
    _ plan: AttemptPlan, _ request: JobRequest, _ id: RequestID
  ) async throws(CloudError) -> Bool {
    let name = plan.resourceName(job: request.name)
    await templates.enter()
    let inserted = await insertTemplate(plan, request, id)
    await templates.leave()
    do throws(CloudError) {
      guard case .forgotten = try await compute.wait(for: try inserted.get()) else { return true }
    } catch  where error.reason == .alreadyExists {
      // Ours, of an earlier call whose answer was lost.
    }
    return JobOwner(request: request).owns(try await compute.instanceTemplate(named: name))
  }

  private func insertTemplate(
    _ plan: AttemptPlan, _ request: JobRequest, _ id: RequestID
  ) async -> Result<ComputeOperation, CloudError> {
    do throws(CloudError) {
      return .success(
        try await compute.insertInstanceTemplate(machine(plan, request).template, requestID: id))
    } catch {
      return .failure(error)
    }
  }

  func makeGroup(_ plan: AttemptPlan, _ request: JobRequest, _ id: RequestID) async throws(CloudError) -> Bool {
    let group = try await machine(plan, request).group
    let scope = plan.candidate.place.scope
    do throws(CloudError) {
      let operation = try await compute.insertInstanceGroup(group, in: scope, requestID: id)
      guard case .forgotten = try await compute.wait(for: operation) else { return true }
    } catch  where error.reason == .alreadyExists {
      // As above.
    }
    return JobOwner(request: request).owns(try await compute.instanceGroup(named: group.name, in: scope))
  }

  private func machine(_ plan: AttemptPlan, _ request: JobRequest) async throws(CloudError) -> JobMachine {
    let series = MachineSeries(machineType: plan.candidate.machineType)
    let image = try await images.link(of: request.spec.config.diskImage.fitting(series), compute)
    let offer = MachineOffer(
      scope: plan.candidate.place.scope, machineType: plan.candidate.machineType, isSpot: plan.candidate.isSpot)
    do {
      return try JobMachine(
        request: request, attempt: plan.number, offer: offer, imageLink: image, endpoints: endpoints,
        firstWordSeconds: firstWordSeconds)
    } catch {
      throw CloudError(
        .invalid, operation: "describe the VM of job", subject: request.name, message: error.message, hint: error.hint)
    }
  }
}

extension JobConfig.DiskImage {
  /// The default is as good for Arm's processors, under another name.
  func fitting(_ series: MachineSeries) -> JobConfig.DiskImage {
    series.isArm && self == .containerOptimized
      ? JobConfig.DiskImage(project: project, family: "cos-arm64-stable") : self
  }
}

extension Location {
  var scope: Scope {
    switch self {
    case .zone(let name): .zone(name)
    case .region(let name): .region(name)
    }
  }
}

/// Links of boot images, asked for once and kept for a while: families move on to newer images.
actor ImageLinks {
  private var known: [JobConfig.DiskImage: (link: String, at: ContinuousClock.Instant)] = [:]
  private var asked: [JobConfig.DiskImage: Task<Result<String, CloudError>, Never>] = [:]

  func link(of image: JobConfig.DiskImage, _ compute: ComputeClient) async throws(CloudError) -> String {
    if let name = image.name { return Self.link(image.project, name) }
    if let (link, moment) = known[image], moment.duration(to: .now) < Self.freshness { return link }
    // A task of its own: it serves others also when the first who asked loses interest.
    let task =
      asked[image]
      ?? Task {
        do throws(CloudError) {
          let found = try await compute.image(family: image.family ?? "", project: image.project)
          return .success(Self.link(image.project, found.name))
        } catch {
          return .failure(error)
        }
      }
    asked[image] = task
    let answer = await task.value
    asked[image] = nil
    if case .success(let link) = answer { known[image] = (link, .now) }
    return try answer.get()
  }

  private static func link(_ project: String, _ name: String) -> String { "projects/\(project)/global/images/\(name)" }

  private static let freshness = Duration.seconds(3600)
}
