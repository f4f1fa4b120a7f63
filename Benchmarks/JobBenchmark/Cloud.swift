import BenchmarkSupport
import Foundation
import GoogleCloud

/// The emulator, spoken to without dagrun's clients: what a figure is compared with must not pay for them.
struct Cloud {
  static let project = "benchmark"
  static let zone = "europe-west1-b"

  let emulator: Emulator
  private let http = HTTPClient()

  init(_ emulator: Emulator) { self.emulator = emulator }

  struct Answer {
    var status: Int
    var json: [String: Any]
  }

  func send(_ method: String, _ path: String, _ body: Any? = nil) async throws -> Answer {
    let data = try body.map { try JSONSerialization.data(withJSONObject: $0) }
    var request = HTTPRequest(
      method, emulator.address + path, headers: data == nil ? [] : [(name: "content-type", value: "application/json")],
      body: data)
    request.timeoutSeconds = 150
    let answer = try await http.send(request)
    let json = try? JSONSerialization.jsonObject(with: answer.body) as? [String: Any]
    return Answer(status: answer.status, json: json ?? [:])
  }

  /// - Throws: for any status but those of success.
  @discardableResult
  func ask(_ method: String, _ path: String, _ body: Any? = nil) async throws -> [String: Any] {
    let answer = try await send(method, path, body)
    guard answer.status < 300 else { throw BenchmarkFailure("\(method) \(path) was answered \(answer.status)") }
    return answer.json
  }

  static func compute(_ path: String) -> String { "/compute/v1/projects/\(project)/\(path)" }
  static func topic(_ job: String) -> String { "/v1/projects/\(project)/topics/\(job)" }
  static func subscription(_ job: String) -> String { "/v1/projects/\(project)/subscriptions/\(job)" }

  // MARK: What there is

  func inventory() async throws -> [String: Any] { try await ask("GET", "/emulator/inventory") }

  /// Requests that were ever made, by method.
  func requests() async throws -> [String: Int] { try await inventory()["requests"] as? [String: Int] ?? [:] }

  /// The names of all jobs: each has its topic.
  func jobs() async throws -> [String] {
    let topics = try await inventory()["topics"] as? [String] ?? []
    return topics.compactMap { $0.split(separator: "/").last.map(String.init) }
  }

  func checkEmpty() async throws {
    let inventory = try await inventory()
    for kind in ["instanceTemplates", "instanceGroupManagers", "instances", "topics", "subscriptions"] {
      let left = (inventory[kind] as? [Any])?.count ?? 0
      guard left == 0 else { throw BenchmarkFailure("\(left) \(kind) are left") }
    }
  }

  // MARK: What a VM would say

  func publish(_ kind: String, _ data: [String: Any], of job: String) async throws {
    let attributes = [
      "dagrun": "1", "job": job, "attempt": "1", "boot": "benchmark", "kind": kind,
      "sequence": kind == "started" ? "0" : "1", "word": try await word(of: job),
    ]
    let text = try JSONSerialization.data(withJSONObject: data).base64EncodedString()
    try await ask(
      "POST", Self.topic(job) + ":publish", ["messages": [["data": text, "attributes": attributes] as [String: Any]]])
  }

  /// Every message of a VM has its attempt's word, which is in the VM's metadata.
  private func word(of job: String) async throws -> String {
    let template = try await ask("GET", Self.compute("global/instanceTemplates/\(job)-1"))
    let properties = template["properties"] as? [String: Any]
    let items = (properties?["metadata"] as? [String: Any])?["items"] as? [[String: Any]] ?? []
    guard let word = items.first(where: { $0["key"] as? String == "dagrun-word" })?["value"] as? String else {
      throw BenchmarkFailure("the template of \(job) has no word")
    }
    return word
  }

  /// Of all these jobs, some at a time: the emulator is one thread.
  func publish(_ kind: String, _ data: [String: Any], ofAll jobs: [String]) async throws {
    for start in stride(from: 0, to: jobs.count, by: 16) {
      for job in jobs[start..<min(start + 16, jobs.count)] { try await publish(kind, data, of: job) }
    }
  }

  /// Until the emulator says so.
  func wait(seconds: Double, for what: String, until isReached: ([String: Any]) -> Bool) async throws {
    let deadline = monotonicSeconds() + seconds
    while !isReached(try await inventory()) {
      guard monotonicSeconds() < deadline else { throw BenchmarkFailure("no \(what) within \(seconds) s") }
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}
