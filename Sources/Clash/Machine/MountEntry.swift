internal import Dagrun

/// The first program of a container whose buckets are mounted by gcsfuse: it mounts them, then becomes the job's
/// command.
enum MountEntry {
  static func script(_ mounts: [(directory: String, path: BucketPath)]) -> String {
    let calls = mounts.map { mount in
      let words = [mount.directory, mount.path.bucket, mount.path.prefix].map(ShellQuoting.quoted)
      return "mount_bucket \(words.joined(separator: " "))\n"
    }
    return RunnerScript.mountEntry + calls.joined() + "exec \"$@\"\n"
  }
}
