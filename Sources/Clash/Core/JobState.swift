internal import Dagrun
internal import Foundation
package import Model

// How a job is kept.
extension Job {
  /// Raised when an older program could not continue with what this one writes.
  private static let formatVersion = 1

  private struct Envelope: Codable {
    var version: Int
    var job: Job
  }

  private struct Version: Decodable { var version: Int }

  /// As the journal keeps it: `state` is versioned JSON with its keys in order, the same for the same job.
  package func record() throws -> JobRecord {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let state = try encoder.encode(Envelope(version: Self.formatVersion, job: self))
    return JobRecord(
      name: request.name, project: request.spec.config.project, task: request.origin.task,
      isDetached: request.isDetached, phase: phaseName, isFinished: isFinished, submittedAt: submittedAt,
      finishedAt: finishedAt, attempts: attempts, request: String(decoding: try encoder.encode(request), as: UTF8.self),
      state: String(decoding: state, as: UTF8.self))
  }

  /// - Throws: `JobStateError` for what this program cannot read.
  package init(restoring record: JobRecord) throws {
    let name = record.name
    _ = try record.decodedRequest()
    let state = Data(record.state.utf8)
    let decoder = JSONDecoder()
    guard let version = try? decoder.decode(Version.self, from: state).version else {
      throw JobStateError(job: name, problem: "it is not the state of a job")
    }
    guard version == Self.formatVersion else {
      let problem = "it has version \(version), and this program knows version \(Self.formatVersion)"
      throw JobStateError(job: name, problem: problem)
    }
    do {
      self = try decoder.decode(Envelope.self, from: state).job
    } catch {
      throw JobStateError(job: name, problem: "\(error)")
    }
    guard isPlausible else { throw JobStateError(job: name, problem: "its numbers make no sense") }
    guard request.name == name else { throw JobStateError(job: name, problem: "it is of job \(request.name)") }
  }
}

extension JobRecord {
  /// What the job asks for.
  ///
  /// - Throws: when another dagrun has written the record, and this one cannot read it.
  package func decodedRequest() throws(JobStateError) -> JobRequest {
    do {
      return try JSONDecoder().decode(JobRequest.self, from: Data(request.utf8))
    } catch let error as DecodingError {
      throw JobStateError(job: name, problem: error.inWords)
    } catch {
      throw JobStateError(job: name, problem: "\(error)")
    }
  }
}

extension Job {
  /// Whether a program can have kept it: a journal may have been changed by hand, or come from a broken backup.
  private var isPlausible: Bool {
    let counts = 0...Int(Int32.max)
    func isPlausible(_ position: LadderPosition) -> Bool {
      [position.candidateIndex, position.losses, position.climbs].allSatisfy(counts.contains)
    }
    let isPhasePlausible =
      switch phase {
      case .attempting(let plan, let position, _): attempts.indices.contains(plan.number &- 1) && isPlausible(position)
      case .pausing(let position, _): isPlausible(position)
      case .preparing, .removing, .finished: true
      }
    return isPhasePlausible && log.isPlausible && counts.contains(preemptions)
      && counts.contains(unheardMachines ?? 0)
      && resources.allSatisfy { counts.contains($0.failuresToMake) && counts.contains($0.failuresToRemove) }
      && attempts.enumerated().allSatisfy { $0.element.number == $0.offset + 1 }
  }
}

/// A job in the journal that this program cannot continue with.
package struct JobStateError: Error, Hashable, CustomStringConvertible {
  package var job: String
  package var problem: String

  package init(job: String, problem: String) {
    self.job = job
    self.problem = problem
  }

  package var description: String {
    "cannot read the kept state of job \(job): \(problem). Use the dagrun that wrote it; or remove the job's resources "
      + "with `dagrun job gc`"
  }
}
