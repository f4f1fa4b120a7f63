import Foundation
import GoogleCloud

/// Opens so many pulls of an empty subscription, looks at this process while all of them wait, and lets them go.
func measureWaitingPulls(_ count: Int, _ environment: [String: String]) async throws {
  let session = try CloudSession.standard(environment: environment)
  let pubSub = PubSubClient(project: "benchmark", transport: session)
  try await pubSub.createTopic("topic")
  try await pubSub.createSubscription("subscription", topic: "topic")
  let before = ProcessFigures()
  let began = monotonic()
  let pulls = (0..<count).map { _ in Task { try await pubSub.pull("subscription", maxMessages: 1) } }
  // A pull that the server holds is a socket here. What has not connected in a minute never will.
  while ProcessFigures().files < before.files + count {
    if monotonic() - began > 60 {
      throw BenchmarkFailure("only \(ProcessFigures().files - before.files) of \(count) pulls have a connection")
    }
    try await Task.sleep(for: .milliseconds(20))
  }
  let opened = monotonic() - began
  let during = ProcessFigures()
  report("long pulls in flight", Double(count), "requests")
  report("opening them", opened, "s")
  report("threads meanwhile", Double(during.threads), "threads", target: "under 20", met: during.threads < 20)
  report("resident memory meanwhile", during.residentMegabytes, "MB")
  report("resident memory a pull", (during.residentMegabytes - before.residentMegabytes) * 1024 / Double(count), "KB")
  report("open files meanwhile", Double(during.files), "files")

  let published = monotonic()
  try await pubSub.publish([PubSubMessage(data: Data("x".utf8))], to: "topic")
  report("a publish among them", (monotonic() - published) * 1000, "ms")

  let cancelled = monotonic()
  for pull in pulls { pull.cancel() }
  for pull in pulls { _ = await pull.result }
  report("cancelling them", monotonic() - cancelled, "s")
}

/// Of this process, from /proc.
struct ProcessFigures {
  var threads = 0
  var files = 0
  var residentMegabytes = 0.0

  init() {
    let manager = FileManager.default
    threads = (try? manager.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
    files = (try? manager.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    // VmRSS:	   12345 kB
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    residentMegabytes = Double((line ?? "").filter(\.isNumber)).map { $0 / 1024 } ?? 0
  }
}

private func monotonic() -> Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

private struct Figure: Encodable {
  var benchmark: String
  var value: Double
  var unit: String
  var target: String?
  var met: Bool?
}

private func report(_ name: String, _ value: Double, _ unit: String, target: String? = nil, met: Bool? = nil) {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  let figure = Figure(benchmark: name, value: (value * 1000).rounded() / 1000, unit: unit, target: target, met: met)
  guard let line = try? encoder.encode(figure) else { return }
  FileHandle.standardOutput.write(line + Data("\n".utf8))
}
