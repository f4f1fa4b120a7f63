import BenchmarkSupport
import Foundation

/// Start-up of the commands that are typed most, against starting the smallest program.
func measureStartup(binary: String) throws {
  let project = try BenchmarkProject(binary: binary, name: "startup")
  defer { project.remove() }
  func milliseconds(_ measure: () throws -> Double) rethrows -> Double {
    _ = try measure()
    return try (0..<20).map { _ in try measure() * 1e3 }.median
  }
  let bound = try milliseconds { try Bounds.seconds("true", [], in: project.folder) }
  let version = try milliseconds { try project.run(["version"]) }
  Figure("dagrun version", version, "ms").against(bound, "`true`, ms").target("under 15 ms", version < 15).report()

  for number in 0..<100 { try project.write("small_\(number).swift", Shape.small(number)) }
  try project.run(["dags", "list"])
  let list = try milliseconds { try project.run(["dags", "list"]) }
  Figure("dagrun dags list, 100 unchanged files of 10 tasks", list, "ms")
    .against(version, "`dagrun version`, ms").target("under 100 ms", list < 100).report()
}

/// From an edit to its description, against the compiler alone.
func measureCompile(binary: String) throws {
  let project = try BenchmarkProject(binary: binary, name: "compile")
  defer { project.remove() }
  try project.write("small_0.swift", Shape.small(0))
  try project.run(["dags", "list"])
  let plain = project.folder.appendingPathComponent("plain.swift")
  try "print(1)\n".write(to: plain, atomically: true, encoding: .utf8)
  let bound = try (0..<5).map { _ in
    try Bounds.seconds("swiftc", ["-emit-object", "plain.swift", "-o", "plain.o"], in: project.folder)
  }.median
  let edited = try (0..<5).map { number in
    try project.write("small_0.swift", Shape.small(0) + "\n// edit \(number)\n")
    return try project.run(["dags", "list"])
  }.median
  Figure("edit to described, one file", edited, "s")
    .against(bound, "swiftc -emit-object of one line, s").target("under 0.5 s", edited < 0.5).report()

  let hundred = try BenchmarkProject(binary: binary, name: "hundred")
  defer { hundred.remove() }
  for number in 0..<100 { try hundred.write("small_\(number).swift", Shape.small(number)) }
  let cold = try hundred.run(["dags", "list"])
  let cores = Double(ProcessInfo.processInfo.activeProcessorCount)
  Figure("100 files of 10 tasks, cold", cold, "s")
    .against(100 * bound / cores, "100 x swiftc of one line over all cores, s").report()
}
