import BenchmarkSupport
import Foundation
import GoogleCloud

/// Opens so many pulls of an empty subscription, looks at this process while all of them wait, and lets them go.
func measureWaitingPulls(_ count: Int, _ environment: [String: String]) async throws {
  let session = try CloudSession.standard(environment: environment)
  let pubSub = PubSubClient(project: "benchmark", transport: session)
  try await pubSub.createTopic("topic")
  try await pubSub.createSubscription("subscription", topic: "topic")
  let before = ProcessFigures()
  let began = monotonicSeconds()
  let pulls = (0..<count).map { _ in Task { try await pubSub.pull("subscription", maxMessages: 1) } }
  // A pull that the server holds is a socket here. What has not connected in a minute never will.
  // Seldom asked: reading ten thousand entries is work too.
  while ProcessFigures().openFiles < before.openFiles + count {
    if monotonicSeconds() - began > 60 {
      throw BenchmarkFailure(
        "only \(ProcessFigures().openFiles - before.openFiles) of \(count) pulls have a connection")
    }
    try await Task.sleep(for: .milliseconds(100))
  }
  let opened = monotonicSeconds() - began
  let during = ProcessFigures()
  let published = monotonicSeconds()
  try await pubSub.publish([PubSubMessage(data: Data("x".utf8))], to: "topic")
  let publish = monotonicSeconds() - published
  let cancelled = monotonicSeconds()
  for pull in pulls { pull.cancel() }
  for pull in pulls { _ = await pull.result }
  let cancelling = monotonicSeconds() - cancelled

  Figure("threads while \(count) long pulls wait", Double(during.threads), "threads")
    .target("under 20", during.threads < 20).with(["open_files": Double(during.openFiles)]).report()
  let memory = during.residentMegabytes - before.residentMegabytes
  Figure("resident memory of \(count) long pulls", memory, "MB")
    .with(["kilobytes_a_pull": memory * 1024 / Double(count), "whole_process": during.residentMegabytes]).report()
  Figure("opening \(count) long pulls", opened, "s").report()
  Figure("a publish beside \(count) long pulls", publish * 1000, "ms").report()
  Figure("cancelling \(count) long pulls", cancelling, "s").report()
}
