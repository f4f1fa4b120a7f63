import Foundation
import Processes
import Testing

/// Calls of the system fail, once or for a while, as on a disk that is full or broken.
@Suite(.blocking) struct `A failing disk` {
  private static func dag(_ version: Int) -> String {
    """
    import Dagrun

    DAG("edited", params: [.string("file")]) {
      BashOperator("note", "echo version \(version) >> \\(.param("file"))")
    }
    """
  }

  /// `DAGRUN_CRASH_SEED` and `DAGRUN_CRASH_COUNT` say which calls fail, and how many.
  @Test(arguments: ["EIO", "ENOSPC"])
  func `never lets a run continue with the version before the last`(fault: String) throws {
    let count = CrashSeed.count(6)
    var random = SplitMix(state: CrashSeed.announced(for: "failing disk, \(fault)", count: count))
    let project = try Project(["edited": Self.dag(1)])
    let library = try DiskLibrary()
    func trigger(_ home: String, _ effects: String) -> [String] {
      ["--home", home, "trigger", "edited", "-r", "after", "--conf", #"{"file": "\#(effects)"}"#]
    }
    let first = project.path + "/first"
    let effects = project.path + "/effects"
    #expect(try project.run("--home", first, "trigger", "edited", "--conf", #"{"file": "\#(effects)"}"#).code == 0)
    // Compiled once, for all the homes.
    try project.write("edited", Self.dag(2))
    let second = project.path + "/second"
    #expect(try project.run(trigger(second, effects)).code == 0)
    try FileManager.default.removeItem(atPath: first + "/cache")
    try FileManager.default.copyItem(atPath: second + "/cache", toPath: first + "/cache")

    var refused = 0
    for number in 1...count {
      let home = "\(project.path)/homes/\(number)"
      try FileManager.default.createDirectory(atPath: project.path + "/homes", withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: first, toPath: home)
      let effects = "\(home)/effects"
      // Which steps there are: about a hundred, of which the first fifty open the database.
      let step = 1 + Int(random.next() % 95)
      let lasts = number % 3 != 0
      let here = "\(lasts ? "from " : "")step \(step) of home \(number)"
      let broken = home + "/broken"
      _ = FileManager.default.createFile(atPath: broken, contents: nil)
      let first = try library.with(
        project, fault, at: step, lasts: lasts, below: home + "/dagrun.db", while: broken
      ) {
        try project.start(trigger(home, effects))
      }
      // A run that has begun waits for the disk.
      if try !ProcessDescriptor(pid: first.pid).hasEnded(within: 4000) {
        try FileManager.default.removeItem(atPath: broken)
      }
      let code = try first.waitForEnd()
      #expect([0, 5].contains(code), "\(here): \(code) \(first.text)")
      if code == 5 { refused += 1 }
      let again = try project.run(trigger(home, effects))
      #expect(again.code == 0, "\(here): \(again)")
      #expect(try String(contentsOfFile: effects, encoding: .utf8) == "version 2\n", "\(here): \(first.text)")
    }
    #expect(refused > 0, "no call that failed was noticed")
  }

  @Test(arguments: ["EIO", "ENOSPC"])
  func `of the workers lets tasks wait, and costs no try`(fault: String) throws {
    let project = try Project([
      "simple": """
      import Dagrun
      import Foundation

      DAG("simple", defaults: .init(retries: 3, retryDelay: .milliseconds(1))) {
        BashOperator("shell", "echo $DAGRUN_TRY_NUMBER >> ../effects")
        SwiftOperator("swift") { context in try "swift".write(toFile: "../swift", atomically: true, encoding: .utf8) }
      }
      """
    ])
    let library = try DiskLibrary()
    let broken = project.path + "/broken"
    _ = FileManager.default.createFile(atPath: broken, contents: nil)
    let scheduler = try library.with(
      project, fault, at: 1, lasts: true, below: project.home + "/workers/", while: broken
    ) {
      try project.start("scheduler")
    }
    #expect(scheduler.wait { _ in FileManager.default.fileExists(atPath: project.home + "/scheduler.sock") })
    #expect(try project.run("trigger", "simple", "-r", "r", "--no-wait").code == 0)
    #expect(scheduler.wait { $0.components(separatedBy: "tasks wait").count > 4 }, "\(scheduler.text)")
    try FileManager.default.removeItem(atPath: broken)
    let ended = try project.run("trigger", "simple", "-r", "r")
    #expect(ended.code == 0, "\(ended), \(scheduler.text)")
    #expect(try project.taskStates("simple", "r").map(\.tryNumber) == [1, 1])
    #expect(try String(contentsOfFile: project.path + "/effects", encoding: .utf8) == "1\n")
    scheduler.signal(SIGTERM)
    #expect(try scheduler.waitForEnd() == 0)
  }
}
