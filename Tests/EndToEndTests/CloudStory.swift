import CloudEmulator
import Foundation
import Synchronization

/// What happened to the machines and the messages of each job, in order and with times: recorded facts, by which a test
/// may judge, and which it prints when it fails.
final class CloudStory: Sendable {
  struct Event: Sendable {
    /// Since the story's beginning.
    var seconds: Double
    /// Nil: of all of them.
    var job: String?
    var what: What
  }

  /// Machines are named JOB-ATTEMPT-SUFFIX.
  enum What: Sendable, Hashable {
    case booted(machine: String)
    case preempted(machine: String, graceSeconds: Double)
    case shutDown(machine: String, graceSeconds: Double)
    case killed(machine: String)
    case off(machine: String, String)
    /// A container left word.
    case word(String, machine: String)
    /// Taken by Pub/Sub; whether whoever said it knows is another matter.
    case published(Message, isAnswerLost: Bool)
    case delivered(Message, isAnswerLost: Bool)
    case acknowledged(Message, isAnswerLost: Bool)
    /// A request of another kind than these, that changes or answers something.
    case asked(String)
    case driver(String)
  }

  struct Message: Sendable, Hashable, CustomStringConvertible {
    var kind: String
    var attempt: String
    var boot: String

    var description: String { "`\(kind)` of attempt \(attempt), boot \(boot.prefix(8))" }
  }

  private struct State {
    var events: [Event] = []
    var messages: [String: (job: String, message: Message)] = [:]
  }

  private let state = Mutex(State())
  private let beginning = Date()

  func note(_ what: What, ofJob job: String?) {
    let seconds = Date().timeIntervalSince(beginning)
    state.withLock { $0.events.append(Event(seconds: seconds, job: job, what: what)) }
  }

  func events(ofJob job: String) -> [Event] {
    state.withLock { $0.events.filter { $0.job == job || $0.job == nil } }
  }

  var jobs: [String] { Array(Set(state.withLock { $0.events.compactMap(\.job) })).sorted() }

  static func job(ofMachine name: String) -> String { name.split(separator: "-").dropLast(2).joined(separator: "-") }

  static func attempt(ofMachine name: String) -> String { String(name.split(separator: "-").dropLast().last ?? "") }

  // MARK: Requests

  func record(_ exchange: Exchange) {
    let isDone = exchange.answer != nil && exchange.status < 300
    let job = exchange.path.split(separator: "/").last.map { String($0.split(separator: ":")[0]) } ?? ""
    switch exchange.method {
    case "pubsub.projects.topics.publish" where isDone:
      for message in Self.objects(exchange.body, "messages").compactMap(Self.message) {
        note(.published(message, isAnswerLost: exchange.isAnswerLost), ofJob: job)
      }
    case "pubsub.projects.subscriptions.pull" where isDone:
      for row in Self.objects(exchange.answer, "receivedMessages") {
        guard let ackID = row["ackId"] as? String, let object = row["message"] as? [String: Any],
          let message = Self.message(object)
        else { continue }
        state.withLock { $0.messages[ackID] = (job, message) }
        note(.delivered(message, isAnswerLost: exchange.isAnswerLost), ofJob: job)
      }
    case "pubsub.projects.subscriptions.acknowledge" where isDone:
      let body = try? JSONSerialization.jsonObject(with: exchange.body) as? [String: Any]
      for ackID in body?["ackIds"] as? [String] ?? [] {
        guard let (job, message) = state.withLock({ $0.messages[ackID] }) else { continue }
        note(.acknowledged(message, isAnswerLost: exchange.isAnswerLost), ofJob: job)
      }
    case "storage.objects.insert":
      // The word's last part is the machine that it comes from.
      guard isDone, let word = exchange.query["name"], let machine = word.split(separator: ".").last else { return }
      note(.word(word, machine: String(machine)), ofJob: Self.job(ofMachine: String(machine)))
    case "compute.zoneOperations.wait", "compute.globalOperations.wait", "compute.images.getFromFamily": return
    default:
      // A group and a template are named JOB-ATTEMPT.
      let method = exchange.method.split(separator: ".").suffix(2).joined(separator: ".")
      let place = exchange.path.split(separator: "/")
      let named = place.last { $0.contains("-") && !$0.hasPrefix("europe-") }.map(String.init) ?? job
      let name =
        exchange.method.hasPrefix("compute.") ? named.split(separator: "-").dropLast().joined(separator: "-") : job
      let end = exchange.answer == nil ? "dropped" : exchange.isAnswerLost ? "answer lost" : "\(exchange.status)"
      note(.asked("\(method) \(exchange.path.split(separator: "/").last ?? ""): \(end)"), ofJob: name)
    }
  }

  private static func objects(_ data: Data?, _ name: String) -> [[String: Any]] {
    guard let data, let json = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else { return [] }
    return json[name] as? [[String: Any]] ?? []
  }

  private static func message(_ object: [String: Any]) -> Message? {
    guard let attributes = object["attributes"] as? [String: String], let kind = attributes["kind"] else { return nil }
    return Message(kind: kind, attempt: attributes["attempt"] ?? "?", boot: attributes["boot"] ?? "?")
  }

  // MARK: Judging

  /// Whether the end of a container on it could not be known: it was preempted, and never had its result taken by
  /// Pub/Sub.
  func isLostWithItsResult(machine: String) -> Bool {
    let attempt = Self.attempt(ofMachine: machine)
    var isPreempted = false
    for event in events(ofJob: Self.job(ofMachine: machine)) {
      switch event.what {
      case .preempted(machine, _): isPreempted = true
      case .published(let message, _) where message.kind == "result" && message.attempt == attempt: return false
      default: continue
      }
    }
    return isPreempted
  }

  // MARK: Telling

  /// Without the logs and heartbeats: of no use for who did what when.
  func text(ofJob job: String) -> String {
    let told = events(ofJob: job).filter { event in
      switch event.what {
      case .published(let message, _), .delivered(let message, _), .acknowledged(let message, _):
        message.kind != "log" && message.kind != "heartbeat"
      case .booted, .preempted, .shutDown, .killed, .off, .word, .asked, .driver: true
      }
    }
    return "job \(job):\n"
      + told.map { String(format: "%9.3f  ", $0.seconds) + $0.what.description }.joined(separator: "\n")
  }
}

extension CloudStory.What: CustomStringConvertible {
  var description: String {
    switch self {
    case .booted(let machine): "\(machine) boots"
    case .preempted(let machine, let seconds): "\(machine) is preempted, with \(seconds) s of grace"
    case .shutDown(let machine, let seconds): "\(machine) is shut down, with \(seconds) s of grace"
    case .killed(let machine): "\(machine) is killed"
    case .off(let machine, let how): "\(machine) is off: \(how)"
    case .word(let word, _): "a container says \(word)"
    case .published(let message, let isLost): "published: \(message)" + (isLost ? ", and nobody was told so" : "")
    case .delivered(let message, let isLost): "delivered: \(message)" + (isLost ? ", and the answer was lost" : "")
    case .acknowledged(let message, _): "acknowledged: \(message)"
    case .asked(let what): what
    case .driver(let what): "DRIVER \(what)"
    }
  }
}
