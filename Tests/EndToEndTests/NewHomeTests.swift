import Foundation
import Processes
import Testing

/// A home is made whole or not at all: a process that makes one is killed before and during each step it takes on the
/// disk, all of them, and every command works afterwards. After one step is before the next.
@Suite(.blocking) struct `A new home` {
  @Test(.timeLimit(.minutes(10)), arguments: ["before", "torn"])
  func `is made whole or not at all, wherever its maker is killed`(moment: String) throws {
    let project = try Project(["once": "import Dagrun\nDAG(\"once\") { EmptyOperator(\"x\") }\n"])
    let library = try DiskLibrary()
    // Compiled once, for all the homes.
    #expect(try project.run("--home", project.path + "/first", "trigger", "once").code == 0)

    var point = 0
    while true {
      point += 1
      let home = "\(project.path)/homes/\(point)"
      try FileManager.default.createDirectory(atPath: project.path + "/homes", withIntermediateDirectories: true)
      let killed = try library.run(
        project, moment, at: point, below: home, "--home", home, "variables", "set", "a", "b")
      guard killed.code == 128 + Int(SIGKILL) else {
        #expect(killed.code == 0, "\(killed)")
        break
      }
      let here = "killed \(moment) step \(point)"
      func read(_ command: String...) throws {
        let ended = try project.run(["--home", home] + command)
        #expect([0, 3].contains(ended.code) && !ended.errors.contains("dagrun.db"), "\(here): \(command) \(ended)")
      }
      // They open the database in one way.
      if point % 2 == 0 { try read("variables", "list") } else { try read("pools", "list") }
      // Where there is a database, it has all that one has.
      let checked = try project.run("--home", home, "db", "check")
      #expect([0, 3].contains(checked.code), "\(here): \(checked)")
      if point % 8 == 1 {
        if FileManager.default.fileExists(atPath: home) {
          try? FileManager.default.removeItem(atPath: home + "/cache")
          try FileManager.default.copyItem(atPath: project.path + "/first/cache", toPath: home + "/cache")
        }
        try read("dags", "list-runs", "once")
        let ended = try project.run("--home", home, "trigger", "once", "-r", "once")
        #expect(ended.code == 0, "\(here): \(ended)")
      }
      #expect(try project.run("--home", home, "variables", "set", "c", "d").code == 0, "\(here)")
      let names = try FileManager.default.contentsOfDirectory(atPath: home).filter { $0.hasPrefix("dagrun.db.") }
      #expect(names.isEmpty, "\(here) left \(names)")
      try? FileManager.default.removeItem(atPath: home)
    }
    #expect(point > 10, "only \(point) steps were seen")
  }
}
