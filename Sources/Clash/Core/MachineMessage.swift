package import Dagrun
internal import Foundation

/// What a VM says about itself: a message that was read (docs/jobs.md, "Messages").
package struct MachineMessage: Hashable, Sendable {
  package var attempt: Int
  /// Another one each time the VM boots.
  package var boot: String
  /// By Pub/Sub's clock.
  package var publishedAt: Timestamp?
  package var content: Content

  package enum Content: Hashable, Sendable {
    case started(at: Timestamp?)
    case log(offset: Int, [UInt8])
    case heartbeat
    case preempted
    case result(MachineResult)
    /// A result that cannot be read: the VM has ended, and how is not known.
    case unreadableResult(String)
  }

  /// Of a boot's log. No counter of bytes comes near it, and a sum of two is far from overflowing.
  package static let mostLogBytes = 1 << 53
  private static let mostBootBytes = 200

  /// nil for what does not come from a VM of the job, and for numbers that none of its VMs can mean.
  package init?(_ message: JobMessage, of request: JobRequest) {
    let attributes = message.attributes
    guard attributes["dagrun"] == "1", attributes["job"] == request.name, let boot = attributes["boot"],
      boot.utf8.count <= Self.mostBootBytes, let attempt = attributes["attempt"].flatMap({ Int($0) }), attempt >= 1
    else { return nil }
    if let word = request.word(ofAttempt: attempt), attributes["word"] != word { return nil }
    self.attempt = attempt
    self.boot = boot
    publishedAt = message.publishedAt
    switch attributes["kind"] {
    case "started":
      let started = try? JSONDecoder().decode(Started.self, from: message.data)
      content = .started(at: started?.startedAt.map { Timestamp(epochSeconds: $0) })
    case "log":
      guard let offset = attributes["offset"].flatMap({ Int($0) }),
        (0...Self.mostLogBytes - message.data.count).contains(offset)
      else { return nil }
      content = .log(offset: offset, Array(message.data))
    case "heartbeat":
      content = .heartbeat
    case "preempted":
      content = .preempted
    case "result":
      do {
        content = .result(try JSONDecoder().decode(MachineResult.self, from: message.data))
      } catch {
        content = .unreadableResult("\(error)")
      }
    default:
      return nil
    }
  }

  private struct Started: Decodable { var startedAt: Double? }
}

/// How a container ended, in its VM's words.
package struct MachineResult: Hashable, Sendable {
  /// nil when there was no container.
  package var status: Int?
  package var infrastructure: InfrastructureFailure?
  package var startedAt: Timestamp?
  package var endedAt: Timestamp
  /// Of this boot's whole log.
  package var logBytes: Int
  /// The newest of it.
  package var logTail: [UInt8]
  package var output: String?

  package init(
    status: Int?, infrastructure: InfrastructureFailure? = nil, startedAt: Timestamp?, endedAt: Timestamp,
    logBytes: Int = 0, logTail: [UInt8] = [], output: String? = nil
  ) {
    self.status = status
    self.infrastructure = infrastructure
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.logBytes = logBytes
    self.logTail = logTail
    self.output = output
  }
}

extension MachineResult: Decodable {
  private enum Key: String, CodingKey {
    case status, infrastructure, startedAt, endedAt, logBytes, logTail, output
  }

  private struct Failure: Decodable {
    var kind: String
    /// Text as base64, so that bash cannot write invalid JSON.
    var message: Data
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    status = try values.decodeIfPresent(Int.self, forKey: .status)
    if let status, !(0...255).contains(status) {
      throw DecodingError.dataCorruptedError(
        forKey: .status, in: values, debugDescription: "\(status) is not an exit status")
    }
    infrastructure = try values.decodeIfPresent(Failure.self, forKey: .infrastructure).map {
      // A kind that this program does not know is a failure all the same.
      InfrastructureFailure(.init(rawValue: $0.kind) ?? .machine, String(decoding: $0.message, as: UTF8.self))
    }
    startedAt = try values.decodeIfPresent(Double.self, forKey: .startedAt).map { Timestamp(epochSeconds: $0) }
    endedAt = Timestamp(epochSeconds: try values.decode(Double.self, forKey: .endedAt))
    logBytes = try values.decode(Int.self, forKey: .logBytes)
    guard (0...MachineMessage.mostLogBytes).contains(logBytes) else {
      throw DecodingError.dataCorruptedError(
        forKey: .logBytes, in: values, debugDescription: "a log cannot have \(logBytes) bytes")
    }
    logTail = Array(try values.decode(Data.self, forKey: .logTail))
    if let bytes = try values.decodeIfPresent(Data.self, forKey: .output) {
      output = String(validating: bytes, as: UTF8.self)
      if output == nil, infrastructure == nil {
        infrastructure = InfrastructureFailure(
          .outputs, "what the job wrote to $DAGRUN_OUTPUT is not UTF-8: write it to an output directory")
      }
    }
  }
}

extension Timestamp {
  /// Anything that is not a plausible time is the epoch: a VM's clock is not to stop a client.
  init(epochSeconds: Double) {
    let isPlausible = epochSeconds.isFinite && epochSeconds >= 0 && epochSeconds < 1e11
    self.init(microseconds: isPlausible ? Int64(saturating: epochSeconds * 1e6) : 0)
  }
}
