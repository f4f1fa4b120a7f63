internal import CRunnerScript

/// The program that a job's VM runs: bash, with curl, sed, awk, base64, docker, systemd and the coreutils beside it,
/// for Container-Optimized OS has no more. The parts lie in `Script/`, in the order in which they are read; this binary
/// carries them.
package enum RunnerScript {
  package static let text = parts.map(\.text).joined(separator: "\n")

  static let parts: [(name: String, text: String)] = (0..<crunner_script_part_count()).map { index in
    let part = crunner_script_part_at(index)
    return (String(cString: part.name), String(part))
  }

  /// A program for `sh` that mounts no bucket yet.
  static let mountEntry = String(crunner_script_mount_entry())
}

extension String {
  fileprivate init(_ script: crunner_script) {
    self.init(decoding: UnsafeBufferPointer(start: script.bytes, count: script.size), as: UTF8.self)
  }
}
