import Foundation
import Testing

/// Groups, branches and short circuits in a DAG file, and what every command says of them.
@Suite(.blocking) struct GroupTests {
  private static let dag = """
    import Dagrun

    enum Load: String, CaseIterable { case full, delta }

    DAG("load", params: [.oneOf("load", Load.self, default: .full), .bool("publish", default: true)]) {
      let tables = TaskGroup("tables") {
        let choose = BranchOperator("choose", to: Load.self) { Load(rawValue: try $0.params.string("load"))! }
        let (create, drop) = (BashOperator("create", "echo made"), BashOperator("drop", "echo removed"))
        let full = TaskGroup("full", setup: create, teardown: drop) {
          BashOperator("rows", "true") --> BashOperator("index", "true")
        }
        choose.when(.full) --> full
        choose.when(.delta) --> BashOperator("delta", "true")
      }
      let publish = ShortCircuitOperator("publish", triggerRule: .noneFailedMinOneSuccess) {
        try $0.params.bool("publish")
      }
      tables --> publish --> BashOperator("page", "true") --> EmptyOperator("tell", triggerRule: .allDone)
    }
    """

  private func states(_ project: Project, _ run: String) throws -> [String: String] {
    let listed = try project.taskStates("load", run)
    return Dictionary(uniqueKeysWithValues: listed.map { ($0.taskID, $0.state ?? "none") })
  }

  @Test func `the group that is chosen is set up and torn down, and the rest is skipped`() throws {
    let project = try Project(["load": Self.dag])
    let run = try project.run("trigger", "load", "-r", "r")
    #expect(run.code == 0, "\(run.errors)")
    #expect(
      try states(project, "r") == [
        "tables.choose": "success", "tables.create": "success", "tables.full.rows": "success",
        "tables.full.index": "success", "tables.drop": "success", "tables.delta": "skipped", "publish": "success",
        "page": "success", "tell": "success",
      ])
  }

  @Test func `nothing is set up for a group that is not chosen, and a short circuit skips whatever the rules say`()
    throws
  {
    let project = try Project(["load": Self.dag])
    let run = try project.run("trigger", "load", "-r", "r", "-c", #"{"load": "delta", "publish": false}"#)
    #expect(run.code == 0, "\(run.errors)")
    #expect(
      try states(project, "r") == [
        "tables.choose": "success", "tables.create": "skipped", "tables.full.rows": "skipped",
        "tables.full.index": "skipped", "tables.drop": "skipped", "tables.delta": "success", "publish": "success",
        "page": "skipped", "tell": "skipped",
      ])
    let explained = try project.run("explain", "load", "r", "tell").output
    #expect(explained == "tell is skipped\n  publish returned false\n")
    #expect(
      try project.run("explain", "load", "r", "publish").output
        == "publish is success\n  it let no task below it run\n")
  }

  @Test func `what was chosen is listed, explained and in JSON`() throws {
    let project = try Project(["load": Self.dag])
    #expect(try project.run("trigger", "load", "-r", "r").code == 0)
    let listed = try project.run("tasks", "states-for-dag-run", "load", "r", "-o", "plain").output
    let choose = listed.split(separator: "\n").first { $0.hasPrefix("tables.choose\t") }
    #expect(choose?.hasSuffix("\tfull") == true, "\(listed)")
    let json = try project.run("tasks", "states-for-dag-run", "load", "r", "-o", "json").output
    let records = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
    #expect(
      records[0]["task_id"] as? String == "tables.choose" && records[0]["chosen"] as? [String] == ["full"])
    #expect(records[1]["chosen"] is NSNull)
    #expect(
      try project.run("explain", "load", "r", "tables.choose").output
        == "tables.choose is success\n  it chose full\n")
    #expect(
      try project.run("explain", "load", "r", "tables.delta").output
        == "tables.delta is skipped\n  tables.choose chose full\n")
  }

  @Test func `a task that was not chosen and is cleared is skipped again, and a cleared branch chooses anew`() throws {
    let project = try Project(["load": Self.dag])
    #expect(try project.run("trigger", "load", "-r", "r").code == 0)
    #expect(try project.run("tasks", "clear", "load", "-t", "tables.delta", "--run-id", "r", "-y").code == 0)
    #expect(try project.run("scheduler", "--until-idle").code == 0)
    #expect(try states(project, "r")["tables.delta"] == "skipped")

    // Now the file says something else.
    try project.write("load", Self.dag.replacingOccurrences(of: "default: .full", with: "default: .delta"))
    #expect(try project.run("tasks", "clear", "load", "-t", "tables.*", "--run-id", "r", "-y").code == 0)
    #expect(try project.run("scheduler", "--until-idle").code == 0)
    let after = try states(project, "r")
    #expect(after["tables.delta"] == "success" && after["tables.create"] == "skipped" && after["page"] == "success")
  }

  @Test func `a choice follows its case when the file is mended`() throws {
    func file(_ full: String) -> String {
      """
      import Dagrun

      enum Load: String, CaseIterable { case full, delta }

      DAG("mended") {
        let choose = BranchOperator("choose", to: Load.self) { _ in .full }
        choose.when(.full) --> \(full)
        choose.when(.delta) --> BashOperator("delta", "true")
      }
      """
    }
    let project = try Project(["mended": file(#"BashOperator("full", "false")"#)])
    #expect(try project.run("trigger", "mended", "-r", "r").code == 1)
    try project.write("mended", file(#"BashOperator("prepare", "true") --> BashOperator("full", "true")"#))
    #expect(try project.run("tasks", "clear", "mended", "--only-failed", "--run-id", "r", "-y").code == 0)
    #expect(try project.run("scheduler", "--until-idle").code == 0)
    let listed = try project.taskStates("mended", "r").map { "\($0.taskID) \($0.state ?? "none")" }
    #expect(Set(listed) == ["choose success", "prepare success", "full success", "delta skipped"])
  }

  @Test func `groups are drawn as one, or with their tasks`() throws {
    let project = try Project(["load": Self.dag])
    #expect(
      try project.run("dags", "show", "load").output == """
        tables (6 tasks)
        └─ publish
           └─ page
              └─ tell

        """)
    let open = try project.run("dags", "show", "load", "--groups").output
    #expect(open.hasPrefix("tables.choose\n├─ tables.create  when full\n"), "\(open)")
    #expect(open.contains("└─ tables.delta  when delta\n"))
    let dot = try project.run("dags", "show", "load", "-f", "dot", "--groups").output
    #expect(dot.contains("subgraph \"cluster_tables.full\" {") && dot.contains("[label=\"delta\"]"))
    let mermaid = try project.run("dags", "show", "load", "-f", "mermaid").output
    #expect(mermaid.hasPrefix("flowchart LR\n  t0[[\"tables (6 tasks)\"]]\n"), "\(mermaid)")
  }

  @Test func `commands for one task know them`() throws {
    let project = try Project(["load": Self.dag])
    let chosen = try project.run("tasks", "run", "load", "tables.choose", "-o", "json")
    #expect(chosen.code == 0, "\(chosen.errors)")
    #expect(chosen.output.contains(#""skip": ["tables.delta"]"#) || chosen.output.contains("\"tables.delta\"\n"))
    let mild = try project.run("tasks", "run", "load", "publish", "-c", #"{"publish": false}"#)
    #expect(mild.code == 0 && mild.errors.contains("publish: it let no task below it run"), "\(mild.errors)")
    #expect(
      try project.run("tasks", "render", "load", "tables.choose", "2026-01-01").errors.contains("(BranchOperator)"))
    #expect(try project.run("dags", "test", "load", "-c", #"{"load": "delta"}"#).code == 0)
    let tasks = try project.run("tasks", "list", "load", "-o", "json").output
    #expect(tasks.contains(#""task_group_id": "tables.full""#) && tasks.contains("\"branch_cases\": {"))
  }

  @Test func `the shipped DAG of choices reads this machine's folders`() throws {
    let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "dags/choices.swift")
    let project = try Project(["choices": try String(contentsOf: source, encoding: .utf8)])
    let folder = project.path + "/few"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func run(_ name: String, _ folder: String) throws -> [String: String] {
      let conf = String(decoding: try JSONSerialization.data(withJSONObject: ["folder": folder]), as: UTF8.self)
      #expect(try project.run("trigger", "choices", "-r", name, "-c", conf).code == 0)
      let listed = try project.taskStates("choices", name)
      return Dictionary(uniqueKeysWithValues: listed.map { ($0.taskID, $0.state ?? "none") })
    }
    let empty = try run("empty", folder)
    #expect(empty["details.largest"] == "skipped" && empty["summary"] == "skipped" && empty["report"] == "skipped")
    for number in 1...3 { try Data().write(to: URL(filePath: folder + "/\(number)")) }
    let few = try run("few", folder)
    #expect(few["details.largest"] == "success" && few["summary"] == "skipped" && few["report"] == "success")
    #expect(few["publish_at_all"] == "success" && few["publish"] == "skipped")
    for number in 4...120 { try Data().write(to: URL(filePath: folder + "/\(number)")) }
    let many = try run("many", folder)
    #expect(many["details.largest"] == "skipped" && many["summary"] == "success" && many["report"] == "success")
  }
}
