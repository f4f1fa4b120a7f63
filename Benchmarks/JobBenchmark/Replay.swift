import BenchmarkSupport
import Foundation

/// What a job asks of the cloud, asked again directly: the same topic, template, group and VM, one request after the
/// other, nothing stored, nothing decided. It has the emulator's delays, the VM's boot and the command in it, so that
/// what a job takes longer is dagrun's own.
struct Replay {
  let job: String
  private let template: [String: Any]
  private let group: [String: Any]

  /// Reads what a job has made, as soon as it is there.
  init(of job: String, in cloud: Cloud) async throws {
    self.job = job
    let name = "\(job)-1"
    template = try await Self.made(Cloud.compute("global/instanceTemplates/\(name)"), in: cloud) {
      ["name", "description", "properties"].contains($0)
    }
    // What only an answer has.
    let answered: Set<String> = [
      "id", "kind", "selfLink", "creationTimestamp", "zone", "region", "status", "currentActions", "fingerprint",
      "instanceGroup", "allInstancesConfig",
    ]
    group = try await Self.made(Cloud.compute("zones/\(Cloud.zone)/instanceGroupManagers/\(name)"), in: cloud) {
      !answered.contains($0)
    }
  }

  private static func made(
    _ path: String, in cloud: Cloud, _ isGiven: (String) -> Bool
  ) async throws -> [String: Any] {
    for _ in 0..<3_000 {
      let answer = try await cloud.send("GET", path)
      if answer.status == 200 { return answer.json.filter { isGiven($0.key) } }
      try await Task.sleep(for: .milliseconds(5))
    }
    throw BenchmarkFailure("nobody makes \(path)")
  }

  /// - Returns: seconds from the first request to the last answer.
  func run(in cloud: Cloud) async throws -> Double {
    let began = monotonicSeconds()
    let (topic, subscription, name) = (Cloud.topic(job), Cloud.subscription(job), "\(job)-1")
    try await cloud.ask("PUT", topic, [String: Any]())
    try await cloud.ask("PUT", subscription, ["topic": "projects/\(Cloud.project)/topics/\(job)"])
    try await operate("POST", "global", "instanceTemplates", template, in: cloud)
    try await operate("POST", "zones/\(Cloud.zone)", "instanceGroupManagers", group, in: cloud)
    try await cloud.ask("POST", subscription + ":acknowledge", ["ackIds": try await pullUntilResult(in: cloud)])
    try await operate("DELETE", "zones/\(Cloud.zone)", "instanceGroupManagers/\(name)", in: cloud)
    try await operate("DELETE", "global", "instanceTemplates/\(name)", in: cloud)
    try await cloud.ask("DELETE", subscription)
    try await cloud.ask("DELETE", topic)
    return monotonicSeconds() - began
  }

  /// A change of Compute Engine, and the wait for its end.
  private func operate(
    _ method: String, _ scope: String, _ path: String, _ body: [String: Any]? = nil, in cloud: Cloud
  ) async throws {
    let answer = try await cloud.send(method, Cloud.compute("\(scope)/\(path)"), body)
    // The VM of a job removes its own group.
    if method == "DELETE", answer.status == 404 { return }
    guard answer.status < 300, let operation = answer.json["name"] as? String else {
      throw BenchmarkFailure("\(method) \(path) was answered \(answer.status): \(answer.json)")
    }
    let done = try await cloud.ask("POST", Cloud.compute("\(scope)/operations/\(operation)/wait"))
    guard done["error"] == nil else { throw BenchmarkFailure("\(method) \(path) ended with \(done["error"]!)") }
  }

  private func pullUntilResult(in cloud: Cloud) async throws -> [String] {
    var tickets: [String] = []
    while true {
      let answer = try await cloud.ask("POST", Cloud.subscription(job) + ":pull", ["maxMessages": 100])
      for row in answer["receivedMessages"] as? [[String: Any]] ?? [] {
        tickets.append(row["ackId"] as? String ?? "")
        let message = row["message"] as? [String: Any]
        if (message?["attributes"] as? [String: String])?["kind"] == "result" { return tickets }
      }
    }
  }
}
