internal import Dagrun
internal import Foundation
package import Model
package import Processes

/// How one process asks the one that drives a job to cancel it: `JOB.cancel`, beside the job's lock.
///
/// It stays until the job has ended, so a driver that dies before it has acted leaves the request to the next one. A
/// name can be used again, so the file says by the time of submission which job is meant. An empty one, by an older
/// dagrun, means the job that is driven when the file is written.
package struct CancelRequestFile: Sendable {
  private let path: String

  package init(job: String, folder: String) { path = "\(folder)/\(job)\(Self.suffix)" }

  /// When this returns, the request survives a power cut.
  package func write(for job: JobRecord) throws(SystemError) {
    // Seen whole or not at all. A job's name has no full stop, so that the temporary file is not a request.
    let temporary = "\(path).\(getpid())"
    let descriptor = openPrivately(temporary, O_WRONLY | O_TRUNC)
    guard descriptor >= 0 else { throw SystemError("write \(path)") }
    let bytes = Array("\(job.submittedAt.microseconds)\n".utf8)
    guard retrying({ Foundation.write(descriptor, bytes, bytes.count) }) == bytes.count, fsync(descriptor) == 0,
      rename(temporary, path) == 0
    else {
      let problem = SystemError("write \(path)")
      close(descriptor)
      unlink(temporary)
      throw problem
    }
    close(descriptor)
  }

  /// Whether there is a request to cancel this job.
  ///
  /// - Parameter job: as it is stored; nil when it is not yet.
  package func isFor(_ job: JobRecord?) -> Bool {
    guard let bytes = readWholeFile(path) else { return false }
    if bytes.isEmpty { return true }
    let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
    return job.map { text == "\($0.submittedAt.microseconds)" } ?? false
  }

  /// Before a job is driven: an empty request, or one for an earlier job of the name, is not about what comes now.
  package func removeUnlessFor(_ job: JobRecord?) {
    guard let bytes = readWholeFile(path), bytes.isEmpty || !isFor(job) else { return }
    remove()
  }

  package func remove() { unlink(path) }

  /// Whose request a file is; nil for any other file.
  package static func job(ofFile name: String) -> String? {
    name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : nil
  }

  private static let suffix = ".cancel"
}
