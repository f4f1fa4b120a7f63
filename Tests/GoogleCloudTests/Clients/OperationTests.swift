import Foundation
import Synchronization
import Testing

@testable import GoogleCloud

struct OperationTests {
  private static let running =
    #"{"name":"operation-1","status":"RUNNING","zone":"https://x/zones/z","operationType":"insert","targetLink":"https://x/projects/p/zones/z/instanceGroupManagers/train-1"}"#

  private static var started: ComputeOperation {
    get throws { try JSONDecoder().decode(ComputeOperation.self, from: Data(running.utf8)) }
  }

  /// Counts the waits between calls.
  private final class Naps: Sendable {
    let seconds = Mutex<[Double]>([])
    func client(_ transport: RecordingTransport) -> ComputeClient {
      ComputeClient(project: "p", transport: transport) { seconds in self.seconds.withLock { $0.append(seconds) } }
    }
  }

  @Test func `an operation is waited for where it is, until it is done`() async throws {
    let transport = RecordingTransport(Self.running, Self.running, #"{"name":"operation-1","status":"DONE"}"#)
    let naps = Naps()
    let end = try await naps.client(transport).wait(for: Self.started)
    guard case .succeeded = end else {
      Issue.record("\(end)")
      return
    }
    #expect(
      transport.requests.map(\.path) == Array(repeating: "projects/p/zones/z/operations/operation-1/wait", count: 3))
    #expect(transport.requests.allSatisfy { $0.method == .post && $0.isLongPoll && $0.timeoutSeconds > 120 })
    // Google may answer at once: not faster than that.
    #expect(naps.seconds.withLock { $0 } == [1, 1])
  }

  @Test func `lists that are of use only soon have one patience for all of their pages`() async throws {
    let transport = RecordingTransport(#"{"nextPageToken":"2"}"#, "{}")
    let client = ComputeClient(project: "p", transport: transport)
    _ = try await client.hurried(seconds: 10).operations(zone: "z", .targetFits(".*"))
    let patience = transport.requests.compactMap(\.patienceSeconds)
    #expect(patience.count == 2 && patience[0] <= 10 && patience[1] < patience[0], "\(patience)")
    #expect(transport.requests.map(\.timeoutSeconds) == patience)
    // The first page has used it up.
    await #expect(throws: CloudError.self) {
      _ = try await ComputeClient(project: "p", transport: RecordingTransport(#"{"nextPageToken":"2"}"#, "{}"))
        .hurried(seconds: 0).operations(zone: "z", .targetFits(".*"))
    }
    _ = try await client.instances(zone: "z")
    #expect(transport.requests.last?.patienceSeconds == nil)
  }

  @Test func `an operation that is done is not asked about again`() async throws {
    var operation = ComputeOperation(name: "o", status: .done)
    operation.warnings = [.init(code: "DISK_SIZE_LARGER_THAN_IMAGE_SIZE", message: "large")]
    let transport = RecordingTransport("{}")
    #expect(try await Naps().client(transport).wait(for: operation) == .succeeded(operation))
    #expect(transport.requests.isEmpty)
  }

  @Test(arguments: ["insert", "compute.instanceGroupManagers.insert"])
  func `the operation's error says what could not be done, to what`(type: String) async throws {
    let failed =
      #"{"name":"operation-1","status":"DONE","operationType":"\#(type)","targetLink":"https://x/zones/z/instanceGroupManagers/train-1","error":{"errors":[{"code":"QUOTA_EXCEEDED","message":"Quota 'CPUS' exceeded.  Limit: 8.0 in region europe-west1.","errorDetails":[{"quotaInfo":{"metricName":"compute.googleapis.com/cpus","limitName":"CPUS-per-project-region","dimensions":{"region":"europe-west1"},"limit":8.0}}]}]},"httpErrorStatusCode":403}"#
    await #expect {
      try await Naps().client(RecordingTransport(failed)).wait(for: Self.started)
    } throws: {
      guard let error = $0 as? CloudError else { return false }
      return error.reason == .quotaExceeded && error.code == "QUOTA_EXCEEDED"
        && error.description
          == "cannot insert instance group train-1: Quota 'CPUS' exceeded. Limit: 8.0 in region europe-west1."
        && error.hint?.hasPrefix("raise CPUS-per-project-region in europe-west1 (") == true
    }
  }

  @Test func `an operation that failed without a word is still a failure`() async throws {
    for body in [
      #"{"name":"o","status":"DONE","error":{}}"#, #"{"name":"o","status":"DONE","error":{"errors":[]}}"#,
      #"{"name":"o","status":"DONE","httpErrorStatusCode":500,"httpErrorMessage":"INTERNAL"}"#,
    ] {
      await #expect(throws: CloudError.self) {
        try await Naps().client(RecordingTransport(body)).wait(for: Self.started)
      }
    }
  }

  @Test func `an operation that Google has forgotten ended, nobody knows how`() async throws {
    let transport = RecordingTransport { request, _ throws(CloudError) in
      throw CloudError(answer: .json(#"{"error":{"code":404,"message":"gone"}}"#, status: 404), to: request)
    }
    #expect(try await Naps().client(transport).wait(for: Self.started) == .forgotten)
  }

  @Test func `a wait that ends for its age is asked again, a failure is passed on`() async throws {
    let transport = RecordingTransport { _, index in
      index == 0 ? .emptyPoll : .json(#"{"name":"operation-1","status":"DONE"}"#)
    }
    guard case .succeeded = try await Naps().client(transport).wait(for: Self.started) else {
      Issue.record("the operation has not ended")
      return
    }
    #expect(transport.requests.count == 2)

    let refused = RecordingTransport { request, _ throws(CloudError) in
      throw CloudError(answer: .json(#"{"error":{"code":403,"message":"no"}}"#, status: 403), to: request)
    }
    await #expect {
      try await Naps().client(refused).wait(for: Self.started)
    } throws: {
      ($0 as? CloudError)?.reason == .permissionDenied
    }
    #expect(refused.requests.count == 1)
  }

  @Test func `whoever is cancelled waits no longer`() async throws {
    let transport = RecordingTransport(Self.running)
    let (naps, onNap) = AsyncStream.makeStream(of: Void.self)
    let client = ComputeClient(project: "p", transport: transport) { _ in
      onNap.yield()
      try? await Task.sleep(for: .seconds(3600))
    }
    let started = try Self.started
    let task = Task { try await client.wait(for: started) }
    for await _ in naps { break }
    task.cancel()
    await #expect {
      try await task.value
    } throws: {
      ($0 as? CloudError)?.reason == .cancelled
    }
  }
}
