internal import Foundation
internal import Processes
internal import Synchronization

/// Says, for as long as its process lives, that an attempt of a series is at work or waits to be: a lower one gives way
/// to it.
///
/// Another scheduler begins a higher attempt only when it has given up the lower one, whose process may have been
/// frozen and know nothing of that. A file `BASE.attempt-N.WORD` in the home's `jobs` folder, with a `flock`: a file
/// that nobody has locked is of a dead process.
package final class AttemptClaim: Sendable {
  private let series: JobSeries
  private let folder: String
  private let descriptor = Mutex<Int32?>(nil)
  private let path: String
  private let wasSuperseded = Mutex(false)

  /// Nothing is said before `raise`.
  package init(of series: JobSeries, folder: String) {
    self.series = series
    self.folder = folder
    let word = String(UInt32.random(in: 0 ... .max), radix: 16)
    path = "\(folder)/\(Self.prefix(series.base))\(series.number).\(word)"
  }

  deinit {
    guard let descriptor = descriptor.withLock(\.self) else { return }
    unlink(path)
    // As of a JobLock: a process that is just being started shares the descriptor for a moment.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Says it, once. Where it cannot be said, lower attempts wait as if there were none.
  package func raise() {
    descriptor.withLock { descriptor in
      guard descriptor == nil, (try? makeFolders(folder, mode: 0o700)) != nil else { return }
      // Locked before it has its name: under that, it is of a living process.
      let temporary = path + "~"
      let opened = openPrivately(temporary, O_RDWR)
      guard opened >= 0 else { return }
      guard flock(opened, LOCK_EX | LOCK_NB) == 0, rename(temporary, path) == 0 else {
        unlink(temporary)
        close(opened)
        return
      }
      descriptor = opened
    }
  }

  /// Whether a higher attempt was ever seen to live: it has the job from then on, also when it has ended since.
  package var isSuperseded: Bool {
    if wasSuperseded.withLock(\.self) { return true }
    let isSuperseded = meetsHigherAttempt
    if isSuperseded { wasSuperseded.withLock { $0 = true } }
    return isSuperseded
  }

  private var meetsHigherAttempt: Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    // All of the series, so that those of the dead go: most are of lower attempts.
    let living = names.compactMap { name in
      Self.number(of: name, base: series.base).flatMap { isHeld("\(folder)/\(name)") ? $0 : nil }
    }
    return living.contains { $0 > series.number }
  }

  /// Whether a file of the folder is an attempt's of the same series.
  package func isOfSeries(_ file: String) -> Bool { Self.number(of: file, base: series.base) != nil }

  private func isHeld(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    guard retrying({ flock(descriptor, LOCK_SH | LOCK_NB) }) == 0 else { return true }
    unlink(path)
    return false
  }

  /// A job's name has no full stop, so that the file is not a job's.
  private static func prefix(_ base: String) -> String { "\(base).attempt-" }

  private static func number(of file: String, base: String) -> Int? {
    let prefix = prefix(base)
    guard file.hasPrefix(prefix), !file.hasSuffix("~") else { return nil }
    return Int(file.dropFirst(prefix.count).prefix { $0 != "." })
  }
}
