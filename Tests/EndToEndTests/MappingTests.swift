import Foundation
import Testing

/// Mapped tasks in a DAG file, and what every command says of their instances.
@Suite(.blocking) struct MappingTests {
  private static let dag = """
    import Dagrun

    struct Shard: Codable, Sendable { var name: String; var rows: Int }

    DAG("shards", params: [.int("count", default: 3), .bool("mended", default: false)]) {
      let files = SwiftOperator("files") { context in
        (0..<(try context.params.int("count"))).map { Shard(name: "it's \\($0)", rows: $0 * 10) }
      }
      let rows = SwiftOperator("rows", each: files.output, limit: 2) { context, shard in
        print("counting \\(shard.name)")
        if shard.rows == 10, try !context.params.bool("mended") { throw TaskFailure("\\(shard.name) is broken") }
        return shard.rows
      }
      let load = BashOperator("load", each: files.output, by: ["eu", "us"]) { shard, region in
        "echo \\(shard.name) to \\(region) for \\(.ds)"
      }
      SwiftOperator("total", rows.output, triggerRule: .allDone) { _, rows in rows.reduce(0, +) }
      SwiftOperator("strict", rows.output) { _, rows in rows.count }
      BashOperator("lines", load.output) { lines in "echo \\(lines.joined(separator: ";"))" }
    }
    """

  private func states(_ project: Project, _ run: String) throws -> [String: String] {
    let listed = try project.taskStates("shards", run)
    return Dictionary(uniqueKeysWithValues: listed.map { ($0.name, $0.state ?? "none") })
  }

  @Test func `a failed element is the only one that runs again`() throws {
    let project = try Project(["shards": Self.dag])
    let run = try project.run("trigger", "shards", "-r", "r", "-l", "2026-01-01")
    #expect(run.code == 1 && run.errors.contains("rows[1] failed: it's 1 is broken"), "\(run.output) \(run.errors)")
    var expected = [
      "files": "success", "rows[0]": "success", "rows[1]": "failed", "rows[2]": "success", "total": "success",
      "strict": "upstream_failed", "lines": "success",
    ]
    for index in 0..<6 { expected["load[\(index)]"] = "success" }
    #expect(try states(project, "r") == expected)
    #expect(
      try project.run("tasks", "logs", "shards", "r", "rows", "--map-index", "1").output
        == "counting it's 1\ndagrun: the task failed and wants no retry: it's 1 is broken\n")
    #expect(
      try project.run("tasks", "logs", "shards", "r", "load", "--map-index", "5").output
        == "it's 2 to us for 2026-01-01\n")
    #expect(
      try project.run("explain", "shards", "r", "strict").output
        == "strict is upstream_failed\n  all_success needs all upstream tasks to succeed, but rows[1] is failed\n")
    #expect(
      try project.run("explain", "shards", "r", "rows", "--map-index", "1").output
        == "rows[1] is failed\n  it's 1 is broken\n")

    try project.write("shards", Self.dag.replacing("default: false", with: "default: true"))
    let clear = ["tasks", "clear", "shards", "--run-id", "r", "-t", "^rows$", "--map-index", "1", "-d", "-y"]
    let cleared = try project.run(clear + ["-o", "plain"])
    #expect(
      cleared.output == "r\trows\t1\tfailed\nr\ttotal\t-1\tsuccess\nr\tstrict\t-1\tupstream_failed\n",
      "\(cleared.errors)")
    #expect(try project.run("scheduler", "--until-idle").code == 0)
    let tries = try project.taskStates("shards", "r").filter { $0.taskID == "rows" }.map(\.tryNumber)
    #expect(tries == [1, 2, 1])
    #expect(try states(project, "r")["strict"] == "success")
  }

  @Test func `one element is marked`() throws {
    let project = try Project(["shards": Self.dag])
    #expect(try project.run("trigger", "shards", "-r", "r").code == 1)
    let marked = try project.run("tasks", "set-state", "shards", "r", "rows", "success", "--map-index", "1")
    #expect(marked.output == "rows[1] in run r of shards: success\n", "\(marked.errors)")
    #expect(try project.run("scheduler", "--until-idle").code == 0)
    #expect(try states(project, "r")["strict"] == "success")
  }

  @Test func `one element runs alone`() throws {
    let project = try Project(["shards": Self.dag])
    let early = try project.run("tasks", "run", "shards", "load", "--map-index", "1")
    #expect(early.code == 2 && early.errors.contains("needs the output of files"), "\(early.errors)")
    #expect(try project.run("trigger", "shards", "-r", "r", "-l", "2026-01-01").code == 1)
    let alone = try project.run("tasks", "run", "shards", "load", "2026-01-01", "--map-index", "3")
    #expect(alone.code == 0 && alone.output == "it's 1 to us for 2026-01-01\n", "\(alone.errors)")
    let after = try project.run("tasks", "run", "shards", "lines", "2026-01-01")
    #expect(after.output.hasPrefix("it's 0 to eu for 2026-01-01;it's 0 to us"), "\(after.errors)")
    let rendered = try project.run("tasks", "render", "shards", "load", "2026-01-01", "--map-index", "0")
    #expect(rendered.code == 0 && rendered.errors.contains("made by its closure"), "\(rendered.errors)")
    for (index, words) in [("6", "--map-index 0 to 5"), ("", "--map-index 0 to 5")] {
      let option = index.isEmpty ? [] : ["--map-index", index]
      let ended = try project.run(["tasks", "run", "shards", "load", "2026-01-01"] + option)
      #expect(ended.code != 0 && ended.errors.contains(words), "\(ended.errors)")
    }
  }

  @Test func `lists that are empty, too long, or shorter the next time`() throws {
    let project = try Project(["shards": Self.dag])
    #expect(try project.run("trigger", "shards", "-r", "empty", "-c", #"{"count": 0}"#).code == 0)
    let empty = try states(project, "empty")
    #expect(empty["rows"] == "skipped" && empty["lines"] == "skipped" && empty["total"] == "success")

    let long = ["trigger", "shards", "-r", "long", "-c", #"{"count": 20, "mended": true}"#]
    let failed = try project.run(long + ["--max-map-length", "30"])
    #expect(
      failed.code == 1 && failed.errors.contains("load failed: it is mapped over 40 elements"), "\(failed.errors)")
    // Enough for it now.
    let clear = ["tasks", "clear", "shards", "--run-id", "long", "--only-failed", "-y"]
    #expect(try project.run(clear).code == 0)
    #expect(try project.run("scheduler", "--until-idle", "--max-map-length", "40").code == 0)
    #expect(try states(project, "long").count { $0.key.hasPrefix("load[") && $0.value == "success" } == 40)

    // The file makes a shorter list now.
    let shorter = Self.dag.replacing(#"(try context.params.int("count"))"#, with: "2")
    try project.write("shards", shorter)
    #expect(try project.run("tasks", "clear", "shards", "--run-id", "long", "-t", "files", "-y").code == 0)
    #expect(try project.run("scheduler", "--until-idle").code == 0)
    let states = try states(project, "long")
    #expect(states["rows[1]"] == "success" && states["rows[2]"] == "removed" && states["load[3]"] == "success")
    #expect(states.count { $0.value == "removed" } == 18 + 36)
    #expect(
      try project.run("explain", "shards", "long", "rows", "--map-index", "2").output
        == "rows[2] is removed\n  its list has only 2 elements now\n")
  }

  @Test func `indices that make no sense`() throws {
    let project = try Project(["shards": Self.dag])
    #expect(try project.run("trigger", "shards", "-r", "r").code == 1)
    let clear = ["tasks", "clear", "shards", "--run-id", "r", "-y", "-t"]
    for (arguments, code, words) in [
      (["tasks", "logs", "shards", "r", "rows"], 2, "say which, with --map-index 0 to 2"),
      (["tasks", "logs", "shards", "r", "rows", "--map-index", "3"], 3, "--map-index 0 to 2"),
      (["explain", "shards", "r", "total", "--map-index", "0"], 3, "leave out --map-index"),
      (["tasks", "set-state", "shards", "r", "rows", "success"], 2, "say which, with --map-index 0 to 2"),
      (clear + ["^rows$", "--map-index", "9"], 3, "there is no instance 9: rows has 3 instances, from 0"),
      (clear + ["^total$", "--map-index", "0"], 2, "total is not mapped"),
      (["tasks", "render", "shards", "total", "2026-01-01", "--map-index", "0"], 2, "total is not mapped"),
      (["tasks", "run", "shards", "total", "--map-index", "0"], 2, "total is not mapped"),
      (["explain", "shards", "r", "rows", "--map-index", "-1"], 2, "--map-index"),
      (["trigger", "shards", "--max-map-length", "0"], 2, "--max-map-length is 0; it must be 1 or more"),
    ] {
      let ended = try project.run(arguments)
      #expect(ended.code == code && ended.errors.contains(words), "\(arguments): \(ended.code) \(ended.errors)")
    }
  }

  @Test func `JSON and drawings know of the elements`() throws {
    let project = try Project(["shards": Self.dag])
    #expect(try project.run("trigger", "shards", "-r", "r").code == 1)
    let json = try project.run("tasks", "states-for-dag-run", "shards", "r", "-o", "json").output
    let records = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
    #expect(records.filter { $0["task_id"] as? String == "rows" }.map { $0["map_index"] as? Int } == [0, 1, 2])
    let explained = try project.run("explain", "shards", "r", "rows", "--map-index", "2", "-o", "json").output
    let explanation = try JSONSerialization.jsonObject(with: Data(explained.utf8)) as? [String: Any]
    #expect(explanation?["map_index"] as? Int == 2)
    let listed = try project.run("tasks", "list", "shards", "-o", "json").output
    let tasks = try JSONSerialization.jsonObject(with: Data(listed.utf8)) as? [[String: Any]]
    #expect(tasks?.filter { $0["is_mapped"] as? Bool == true }.map { $0["task_id"] as? String } == ["rows", "load"])
    #expect(try project.run("dags", "show", "shards").output.contains("├─ rows [ ]\n"))
  }
}
