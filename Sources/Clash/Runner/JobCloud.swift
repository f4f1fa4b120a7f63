internal import Dagrun
internal import Foundation
internal import GoogleCloud

/// What jobs do to the cloud, one project's: each call of `JobCall` so that a repeat finds the work done.
struct JobCloud: Sendable {
  let compute: ComputeClient
  let pubSub: PubSubClient
  let endpoints: Endpoints
  let images: ImageLinks
  /// Through which templates are rendered and sent.
  let templates: AsyncSemaphore
  /// Of subscriptions.
  let acknowledgeLimitSeconds: Int
  /// Of VMs; nil: as their runner has it.
  let firstWordSeconds: Int?

  init(
    project: String, transport: any CloudTransport, endpoints: Endpoints, images: ImageLinks, templates: AsyncSemaphore,
    acknowledgeLimitSeconds: Int, firstWordSeconds: Int? = nil
  ) {
    self.firstWordSeconds = firstWordSeconds
    self.acknowledgeLimitSeconds = acknowledgeLimitSeconds
    compute = ComputeClient(project: project, transport: transport)
    pubSub = PubSubClient(project: project, transport: transport)
    self.endpoints = endpoints
    self.images = images
    self.templates = templates
  }

  /// - Returns: `done`, `ownedByOther` or `failed`; before it `machinesFound`, when the call ends this job's VMs.
  func events(of call: CallRequest, of request: JobRequest) async -> [JobEvent] {
    guard case .removeGroup(let plan) = call.call else { return [await perform(call, of: request)] }
    // While it is there, a VM tells itself when it began and stopped; of the rest Google's operations tell.
    var found = MachineFindings(instances: await instances(of: plan, ofJob: request.name))
    let answer = await perform(call, of: request)
    // Another owner's VMs are not on this ledger.
    if case .ownedByOther = answer { return [answer] }
    if case .done = answer { await addOperations(to: &found, of: plan, ofJob: request.name) }
    return [.machinesFound(plan, found), answer]
  }

  private func perform(_ call: CallRequest, of request: JobRequest) async -> JobEvent {
    do throws(CloudError) {
      let id = RequestID(call.requestID)
      let isOurs =
        switch call.call {
        case .makeTopic: try await makeTopic(request)
        case .makeSubscription: try await makeSubscription(request)
        case .makeTemplate(let plan): try await makeTemplate(plan, request, id)
        case .makeGroup(let plan): try await makeGroup(plan, request, id)
        case .removeGroup(let plan): try await removeGroup(plan, request, id, checksOwner: call.checksOwner)
        case .removeTemplate(let plan): try await removeTemplate(plan, request, id, checksOwner: call.checksOwner)
        case .removeSubscription: try await removeSubscription(request, checksOwner: call.checksOwner)
        case .removeTopic: try await removeTopic(request, checksOwner: call.checksOwner)
        }
      return isOurs ? .done(call.call) : .ownedByOther(call.call)
    } catch {
      return .failed(call.call, error)
    }
  }

  // MARK: Messages

  func pull(ofJob name: String, maxMessages: Int) async -> Result<[JobMessage], CloudError> {
    do throws(CloudError) {
      let received = try await pubSub.pull(name, maxMessages: maxMessages)
      return .success(
        received.map {
          JobMessage(
            ackID: $0.ackId, attributes: $0.message.attributes, data: $0.message.data,
            publishedAt: $0.message.publishTime.flatMap(Timestamp.init(iso8601:)))
        })
    } catch {
      return .failure(error)
    }
  }

  /// Failing does no harm: the messages come again.
  func acknowledge(_ ids: [String], ofJob name: String) async {
    do throws(CloudError) { try await pubSub.acknowledge(ids, of: name) } catch {}
  }
}

/// What carries the labels of a job of a home.
struct JobOwner: Sendable {
  let request: JobRequest

  func owns(labels: [String: String]?) -> Bool {
    let expected = MachineLabels.all(of: request, attempt: 1)
    return ["dagrun-job", "dagrun-home"].allSatisfy { labels?[$0] == expected[$0] }
  }

  func owns(_ group: InstanceGroupManager) -> Bool { owns(labels: group.allInstancesConfig?.properties?.labels) }

  func owns(_ template: InstanceTemplate) -> Bool { owns(labels: template.properties.labels) }

  /// Of the topic and the subscription, which are of all attempts.
  var labels: [String: String] {
    var labels = MachineLabels.all(of: request, attempt: 1)
    labels["dagrun-attempt"] = nil
    return labels
  }
}
