/// The first program of a container whose buckets are mounted by gcsfuse: it mounts them, then becomes the job's command.
enum MountEntry {
  static func script(_ mounts: [(directory: String, path: BucketPath)]) -> String {
    var lines = [
      "#!/bin/sh",
      "# Mounts the job's buckets, then becomes the job's command. Written by dagrun.",
      "# shellcheck disable=SC2016 # A dollar in a name is meant as it is.",
      "fail() {",
      "  printf '%s\\n' \"$1\" >/dagrun/mount-failure",
      "  exit 1",
      "}",
      "command -v gcsfuse >/dev/null 2>&1 ||",
      "  fail 'the image has no gcsfuse: install it there, or let the job copy its mounts'",
    ]
    for mount in mounts {
      let options = mount.path.prefix.isEmpty ? "" : " --only-dir=\(quoted(String(mount.path.prefix.dropLast())))"
      let name = "gs://\(mount.path.bucket)/\(mount.path.prefix)"
      lines += [
        "mkdir -p -- \(quoted(mount.directory)) || fail \(quoted("cannot make the directory \(mount.directory)"))",
        "gcsfuse --implicit-dirs\(options) \(quoted(mount.path.bucket)) \(quoted(mount.directory)) ||",
        "  fail \(quoted("gcsfuse could not mount \(name) on \(mount.directory)"))",
      ]
    }
    lines.append("exec \"$@\"")
    return lines.joined(separator: "\n") + "\n"
  }

  /// One word for a POSIX shell, whatever it holds.
  private static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
