internal import Basics
package import Dagrun
internal import Foundation
package import Model

/// One job to run: what, under which name, and for whom.
///
/// The name is the job's identity everywhere. All its resources carry it, so that asking for the same name twice is
/// asking for the same job: what is there is adopted, and nothing is paid twice.
package struct JobRequest: Codable, Hashable, Sendable {
  /// `[a-z]([-a-z0-9]*[a-z0-9])?`, at most 50 characters (`JobName`).
  package var name: String
  package var spec: JobSpec
  package var origin: JobOrigin
  /// Nobody waits: the group repairs a lost VM by itself, and the result waits in the subscription.
  package var isDetached = false
  /// Set for the jobs of another scheduler's task: its next try continues with this one.
  package var series: JobSeries?
  /// Random, made when the job begins, and with the request in the templates of its machines: what the words of its
  /// attempts are made of. nil: the job was begun by a program that knew no words.
  package var secret: String?

  package init(name: String, spec: JobSpec, origin: JobOrigin) {
    self.name = name
    self.spec = spec
    self.origin = origin
  }
}

extension JobRequest {
  package static func randomSecret() -> String { UUID().uuidString + UUID().uuidString }

  /// What every message of an attempt's machine carries: another publisher to the topic does not know it.
  package func word(ofAttempt number: Int) -> String? {
    secret.map { secret in
      SHA256.digest(ofParts: [secret, "\(number)"]).prefix(16).map { byte in
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }.joined()
    }
  }
}

/// Who asked for a job. Its labels say so on every resource.
package struct JobOrigin: Codable, Hashable, Sendable {
  /// Of the home whose journal has the job: random, made with the database.
  package var homeID: String
  /// nil for a job that a person or another program started by itself.
  package var task: JobTask?

  package init(homeID: String, task: JobTask? = nil) {
    self.homeID = homeID
    self.task = task
  }
}
