internal import Glibc

/// A process may often open only 1,024 files by its soft limit, and many more by its hard one. The soft limit is raised
/// when the sockets come near it, and not before: started processes inherit it.
struct OpenFileLimit {
  /// What the process has open besides sockets, and what it may yet open.
  private static let reserve = 256
  private var softLimit: Int?

  mutating func makeRoom(forSockets count: Int) {
    if let softLimit, count + Self.reserve <= softLimit { return }
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    if count + Self.reserve > Int(clamping: limit.rlim_cur), limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    softLimit = max(Int(clamping: limit.rlim_cur), count + Self.reserve)
  }
}
