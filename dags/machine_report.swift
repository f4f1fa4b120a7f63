import Dagrun
import Foundation

/// What is installed on this machine, and what its clock knows: read from files that are there on every Debian, by shell
/// and Swift tasks that run side by side and hand typed values on.
///
///     dagrun trigger machine_report -c '{"top": 3}'
DAG(
  "machine_report", params: [.int("top", default: 5, in: 1...50, description: "How many packages to name.")],
  tags: ["example"], description: "Reports on the machine's packages, time zones and disk.",
  defaults: .init(retries: 1, retryDelay: .seconds(5), executionTimeout: .minutes(2))
) {
  let packages = SwiftOperator("packages") { context in
    try installedPackages(top: context.params.int("top"), log: context.log)
  }

  let zones = SwiftOperator("time_zones") { context in try zonesByRule(log: context.log) }

  // A shell task's output is the last line that it prints.
  let kernel = BashOperator("kernel", "uname -sr")

  let freeDisk = BashOperator("free_disk", "df --output=avail -k / | tail -n 1 | tr -d ' '")

  let configurationFiles = BashOperator(
    "configuration_files", "find /etc -type f 2>/dev/null | wc -l")

  let report = SwiftOperator(
    "report", packages.output, zones.output, kernel.output, freeDisk.output(as: Int.self),
    configurationFiles.output(as: Int.self)
  ) { context, packages, zones, kernel, freeDisk, files in
    var lines = ["\(kernel): \(size(kilobytes: freeDisk)) free on /, \(files) files in /etc"]
    if let packages {
      lines.append("\(packages.count) packages take \(size(kilobytes: packages.kilobytes)); the largest:")
      lines += packages.largest.map { "  \(size(kilobytes: $0.kilobytes).leftPadded(to: 9))  \($0.name)" }
      let sections = packages.sections.map { "\($0.name) (\($0.count))" }.joined(separator: ", ")
      lines.append("most packages are in: \(sections)")
    } else {
      lines.append("packages: unknown, \(packageDatabase) is not here")
    }
    if let zones {
      lines.append("\(zones.count) time zones: \(zones.changing) change their clocks each year, \(zones.fixed) do not")
    } else {
      lines.append("time zones: unknown, \(zoneFolder) is not here")
    }
    return lines.joined(separator: "\n")
  }

  // The value is quoted for the shell wherever it is put.
  BashOperator("show", "echo \"Report of \(.ds):\"; printf '%s\\n' \(report.output)")
}

let packageDatabase = "/var/lib/dpkg/status"
let zoneFolder = "/usr/share/zoneinfo"

struct Packages: Codable, Sendable {
  struct Package: Codable, Sendable {
    var name: String
    var kilobytes: Int
  }

  struct Section: Codable, Sendable {
    var name: String
    var count: Int
  }

  var count = 0
  var kilobytes = 0
  var largest: [Package] = []
  var sections: [Section] = []
}

/// Reads dpkg's database: paragraphs of `Key: value` lines. nil when the machine has none.
func installedPackages(top: Int, log: TaskLog) throws -> Packages? {
  guard FileManager.default.fileExists(atPath: packageDatabase) else {
    log.warning("\(packageDatabase) is not here: this is no Debian")
    return nil
  }
  let text = try String(contentsOfFile: packageDatabase, encoding: .utf8)
  var result = Packages()
  var counts: [String: Int] = [:]
  for paragraph in text.split(separator: "\n\n") {
    var fields: [Substring: Substring] = [:]
    for line in paragraph.split(separator: "\n") where line.first != " " {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == " " }
    }
    guard let name = fields["Package"], fields["Status"] == "install ok installed" else { continue }
    let kilobytes = fields["Installed-Size"].flatMap { Int($0) } ?? 0
    result.count += 1
    result.kilobytes += kilobytes
    result.largest.append(.init(name: String(name), kilobytes: kilobytes))
    counts[String(fields["Section"] ?? "no section"), default: 0] += 1
  }
  result.largest = Array(result.largest.sorted { ($1.kilobytes, $0.name) < ($0.kilobytes, $1.name) }.prefix(top))
  result.sections = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(top)
    .map { .init(name: $0.key, count: $0.value) }
  log.info("read \(result.count) packages")
  return result
}

struct Zones: Codable, Sendable {
  var count: Int { changing + fixed }
  var changing = 0
  var fixed = 0
}

/// Reads the rule at the end of each time-zone file (RFC 8536): one with a comma changes its clocks each year.
func zonesByRule(log: TaskLog) throws -> Zones? {
  guard let files = FileManager.default.enumerator(atPath: zoneFolder) else {
    log.warning("\(zoneFolder) is not here: install tzdata")
    return nil
  }
  var zones = Zones()
  for case let name as String in files where !name.hasPrefix("right/") && !name.hasPrefix("posix/") {
    guard let data = FileManager.default.contents(atPath: zoneFolder + "/" + name),
      data.starts(with: Array("TZif".utf8)),
      let rule = data.split(separator: UInt8(ascii: "\n")).last
    else { continue }
    if rule.contains(UInt8(ascii: ",")) { zones.changing += 1 } else { zones.fixed += 1 }
  }
  guard zones.count > 0 else {
    log.warning("there are no time-zone files in \(zoneFolder): install tzdata")
    return nil
  }
  log.info("read \(zones.count) time zones")
  return zones
}

func size(kilobytes: Int) -> String {
  kilobytes >= 1 << 20
    ? String(format: "%.1f GiB", Double(kilobytes) / 1_048_576) : String(format: "%.0f MiB", Double(kilobytes) / 1024)
}

extension String {
  func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
