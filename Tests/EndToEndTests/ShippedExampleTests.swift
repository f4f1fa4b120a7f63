import Foundation
import Testing

/// The DAG files that are shipped, run on what this machine really has.
@Suite(.blocking) struct `The shipped examples` {
  private static let dags = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "dags")

  @Test func `machine_report counts this machine's packages and time zones`() throws {
    let source = try String(contentsOf: Self.dags.appending(path: "machine_report.swift"), encoding: .utf8)
    let project = try Project(["machine_report": source])
    let run = try project.run("trigger", "machine_report", "-c", #"{"top": 3}"#, timeout: 120)
    #expect(run.code == 0, "\(run.errors)")
    let report = try project.run("tasks", "logs", "machine_report", "latest", "show").output
    #expect(report.hasPrefix("Report of "))
    if let database = try? String(contentsOfFile: "/var/lib/dpkg/status", encoding: .utf8) {
      let installed = database.split(separator: "\n").count { $0 == "Status: install ok installed" }
      #expect(report.contains("\n\(installed) packages take "), "\(report)")
    } else {
      #expect(report.contains("packages: unknown"))
    }
    let hasZones = FileManager.default.fileExists(atPath: "/usr/share/zoneinfo")
    #expect(report.contains(hasZones ? " time zones: " : "time zones: unknown"), "\(report)")
  }
}
