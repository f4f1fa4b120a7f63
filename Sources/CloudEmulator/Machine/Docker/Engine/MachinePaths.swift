internal import Foundation

/// Where paths of a VM are on this machine, seen from outside the VM.
struct MachinePaths {
  /// The VM's own, without links.
  var folder: String

  struct Place: Equatable {
    var path: String
    var exists: Bool
  }

  /// First parts of paths of the VM that lie in its folder. All else is this machine's, or the kernel's.
  static let parts = [
    "var": "disk", "home": "disk", "etc": "boot", "run": "boot", "root": "boot", "mnt": "boot", "tmp": "boot",
  ]

  /// Follows links as the VM would, one by one: none can lead out of its folder.
  ///
  /// That holds for links as they are now. A program of the VM that changes them in the same moment may still deceive an
  /// engine, which goes by the path.
  func place(_ path: String) throws -> Place {
    var done: [String] = []
    var rest = Array(path.split(separator: "/").map(String.init).reversed())
    var links = 0
    var exists = true
    guard path.hasPrefix("/"), !path.utf8.contains(0) else { throw refusal(path) }
    while let part = rest.popLast() {
      if part == "." { continue }
      if part == ".." {
        _ = done.popLast()
        exists = true
        continue
      }
      let here = try outside(done + [part], path)
      var status = stat()
      if lstat(here, &status) != 0 {
        // What is not there has no links.
        guard errno == ENOENT else { throw refusal(path, String(cString: strerror(errno))) }
        exists = false
      } else if status.st_mode & S_IFMT == S_IFLNK {
        links += 1
        guard links <= 40, let target = try? FileManager.default.destinationOfSymbolicLink(atPath: here) else {
          throw refusal(path, "too many links")
        }
        if target.hasPrefix("/") { done = [] }
        rest += target.split(separator: "/").map(String.init).reversed()
        continue
      }
      done.append(part)
    }
    return Place(path: try outside(done, path), exists: exists)
  }

  private func outside(_ parts: [String], _ asked: String) throws -> String {
    guard let first = parts.first, let part = Self.parts[first] else { throw refusal(asked) }
    return ([folder, part] + parts).joined(separator: "/")
  }

  private func refusal(_ path: String, _ reason: String? = nil) -> DockerUsageError {
    DockerUsageError(
      message: "\(path) cannot be mounted: "
        + (reason
          ?? "it is not in this VM's folder (\(Self.parts.keys.sorted().map { "/\($0)" }.joined(separator: ", ")))"))
  }
}
