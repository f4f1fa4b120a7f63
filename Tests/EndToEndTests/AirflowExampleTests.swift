import Foundation
import Testing

/// Airflow's shipped examples of branches, groups, short circuits, setups and trigger rules, rewritten:
/// `dags/examples`.
@Suite(.blocking) struct `Airflow's examples` {
  struct Example: CustomTestStringConvertible {
    var dag: String
    var conf = "{}"
    var date = "2026-01-06"
    var success: String
    var skipped = ""
    var failed = ""

    var testDescription: String { "\(dag) \(conf) \(date)" }
  }

  static let examples = [
    Example(
      dag: "example_branch_operator", conf: #"{"option": "b"}"#,
      success: "run_this_first branching branch_b follow_b join",
      skipped: "branch_a follow_a branch_c follow_c branch_d follow_d"),
    Example(
      dag: "example_nested_branch_dag", success: "branch_1 true_1 join_1",
      skipped: "false_1 branch_2 true_2 false_2 join_2 false_3"),
    Example(
      dag: "example_nested_branch_dag", conf: #"{"first": false, "second": false}"#,
      success: "branch_1 false_1 branch_2 false_2 join_2 false_3 join_1", skipped: "true_1 true_2"),
    Example(
      dag: "example_short_circuit_operator",
      success: "condition_is_True true_1 true_2 condition_is_False task_1 task_2 short_circuit task_3 task_5 task_7",
      skipped: "false_1 false_2 task_4 task_6"),
    Example(dag: "latest_only", success: "latest_only task1"),
    Example(dag: "latest_only_with_trigger", success: "latest_only task1 task2 task3 task4"),
    Example(
      dag: "example_task_group",
      success: """
        start section_1.task_1 section_1.task_2 section_1.task_3 section_2.task_1 section_2.inner_section_2.task_2 \
        section_2.inner_section_2.task_3 section_2.inner_section_2.task_4 end
        """),
    Example(
      dag: "example_task_group_decorator",
      success: ["", "__1", "__2", "__3", "__4"].reduce("task_start task_end") { ids, suffix in
        ids + (1...3).map { " task_group_function\(suffix).task_\($0)" }.joined()
      }),
    Example(
      dag: "example_skip_dag", success: "always_true_1 always_true_2 one_success final_2",
      skipped: "skip_operator_1 all_success final_1 skip_operator_2"),
    Example(
      dag: "example_setup_teardown",
      success: """
        root_setup normal root_teardown section_1.taskgroup_setup section_1.normal section_1.taskgroup_teardown
        """),
    Example(
      dag: "example_weekday_branch_operator", success: "make_choice branch_false make_weekend_choice branch_mid_week",
      skipped: "branch_true branch_weekend"),
    Example(
      dag: "example_weekday_branch_operator", date: "2026-01-05", success: "make_choice branch_true",
      skipped: "branch_false make_weekend_choice branch_weekend branch_mid_week"),
    Example(
      dag: "example_weekday_branch_operator", date: "2026-01-04",
      success: "make_choice branch_false make_weekend_choice branch_weekend", skipped: "branch_true branch_mid_week"),
    Example(
      dag: "example_branch_datetime_operator_3", success: "datetime_branch date_outside_range",
      skipped: "date_in_range"),
    Example(
      dag: "example_branch_datetime_operator_3", date: "2020-10-10T14:30:00Z",
      success: "datetime_branch date_in_range", skipped: "date_outside_range"),
  ]

  private static func project(_ dag: String) throws -> Project {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "dags/examples")
    return try Project([dag: try String(contentsOf: folder.appending(path: dag + ".swift"), encoding: .utf8)])
  }

  /// Task -> state.
  private func states(_ project: Project, _ dag: String, _ run: String) throws -> [String: String] {
    let listed = try project.taskStates(dag, run)
    return Dictionary(uniqueKeysWithValues: listed.map { ($0.taskID, $0.state ?? "none") })
  }

  private func ids(_ text: String, _ state: String) -> [String: String] {
    Dictionary(uniqueKeysWithValues: text.split(separator: " ").map { (String($0), state) })
  }

  @Test(arguments: examples)
  func `each comes to the states that Airflow brings it to`(example: Example) throws {
    let project = try Self.project(example.dag)
    let run = try project.run("trigger", example.dag, "-r", "r", "-l", example.date, "-c", example.conf)
    #expect(run.code == 0, "\(run.errors)")
    let expected = ids(example.success, "success").merging(ids(example.skipped, "skipped")) { $1 }
    #expect(try states(project, example.dag, "r") == expected)
  }

  @Test func `work that fails is torn down, and what comes after does not run`() throws {
    let project = try Self.project("example_setup_teardown")
    #expect(try project.run("trigger", "example_setup_teardown", "-r", "r", "-c", #"{"fails": true}"#).code == 1)
    let expected = [
      "root_setup": "success", "normal": "failed", "root_teardown": "success",
      "section_1.taskgroup_setup": "upstream_failed", "section_1.normal": "upstream_failed",
      "section_1.taskgroup_teardown": "upstream_failed",
    ]
    #expect(try states(project, "example_setup_teardown", "r") == expected)
  }

  @Test func `latest_only skips in each run of a backfill, and not in that of the newest date`() throws {
    let project = try Self.project("latest_only_with_trigger")
    let dag = "latest_only_with_trigger"
    let backfill = try project.run("backfill", dag, "--from-date", "2026-01-01", "--to-date", "2026-01-01T04:00")
    #expect(backfill.code == 0, "\(backfill.errors)")
    let skipping = [
      "latest_only": "success", "task1": "skipped", "task2": "success", "task3": "skipped", "task4": "success",
    ]
    #expect(try states(project, dag, "backfill__2026-01-01T00:00:00+00:00") == skipping)
    #expect(try states(project, dag, "backfill__2026-01-01T04:00:00+00:00") == skipping)
    let explained = try project.run("explain", dag, "backfill__2026-01-01T04:00:00+00:00", "task1")
    #expect(explained.output.contains("latest_only lets only the run of the newest date continue"))

    // Makes the run of the newest date.
    #expect(try project.run("scheduler", "--until-idle").code == 0)
    let newest = try states(project, dag, "latest")
    #expect(newest.count == 5 && newest.values.allSatisfy { $0 == "success" })
  }

  @Test func `tasks that depend on their past run after they were skipped`() throws {
    let dag = "example_branch_dop_operator_v3"
    let project = try Self.project(dag)
    for (minute, chosen, other) in [(1, 2, 1), (2, 1, 2)] {
      let run = try project.run("trigger", dag, "-r", "r\(minute)", "-l", "2026-01-01T00:0\(minute)")
      #expect(run.code == 0, "\(run.errors)")
      #expect(
        try states(project, dag, "r\(minute)") == [
          "should_run": "success", "empty_task_\(chosen)": "success", "empty_task_\(other)": "skipped",
        ])
    }
  }

  @Test func `all of them are among the tests`() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "dags/examples").path
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }
    let tested = Set(Self.examples.map(\.dag) + ["example_branch_dop_operator_v3"])
    #expect(Set(files.map { String($0.dropLast(6)) }) == tested)
  }
}
