internal import Foundation

/// What a process is using, from /proc; zeros where there is no such process, or it is another user's.
package struct ProcessFigures {
  package var threads = 0
  package var openFiles = 0
  package var residentMegabytes = 0.0
  package var peakResidentMegabytes = 0.0
  /// Pages that are shared count in parts: what the machine would have back.
  package var proportionalMegabytes = 0.0
  package var cpuSeconds = 0.0

  /// - Parameter pid: nil: this one.
  package init(of pid: Int32? = nil) {
    let folder = "/proc/" + (pid.map { "\($0)" } ?? "self")
    let manager = FileManager.default
    threads = (try? manager.contentsOfDirectory(atPath: folder + "/task").count) ?? 0
    openFiles = (try? manager.contentsOfDirectory(atPath: folder + "/fd").count) ?? 0
    let status = Self.text(folder + "/status")
    residentMegabytes = Self.megabytes("VmRSS", in: status)
    peakResidentMegabytes = Self.megabytes("VmHWM", in: status)
    proportionalMegabytes = Self.megabytes("Pss", in: Self.text(folder + "/smaps_rollup"))
    // The name before it may have blanks; user and system time are the 12th and 13th after it.
    let words = Self.text(folder + "/stat").split(separator: ")").last?.split(separator: " ") ?? []
    if words.count > 12, let user = Double(words[11]), let system = Double(words[12]) {
      cpuSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
  }

  /// `VmRSS:	   12345 kB`
  private static func megabytes(_ field: String, in text: String) -> Double {
    let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0
    return kilobytes / 1024
  }

  private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}

/// For a process that opens a socket for each of thousands of requests; those that it starts inherit it.
package func raiseOpenFileLimit() {
  var limit = rlimit()
  getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  limit.rlim_cur = limit.rlim_max
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

/// Seconds on a clock that nobody sets.
package func monotonicSeconds() -> Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }
