import DagBag
import Dagrun
import Foundation
import Presentation
import Testing

@testable import CLI

@Suite struct ExportTests {
  private static let place = SourceLocation(file: "/dags/a.swift", line: 7)

  private static func export(_ dag: DAGDescription) throws -> [String: Any] {
    var contents = LoadedDAGs()
    contents.files = [DAGFile(path: "/dags/a.swift", version: "1f", libraryPath: "/a.so", entry: "a", dags: [dag])]
    contents.importErrors = [ImportError(path: "/dags/b.swift", line: 3, message: "no such thing", stage: .compile)]
    let text = JSONText.compact(.object(DAGFiles(contents, folder: "/dags").exportRecord))
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private static func exportedDAG(_ change: (inout DAGDescription) -> Void) throws -> [String: Any] {
    var dag = DAGDescription(id: "a", location: place)
    change(&dag)
    return try #require((try export(dag)["dags"] as? [[String: Any]])?.first)
  }

  private static func exportedTask(_ task: TaskDescription) throws -> [String: Any] {
    let dag = try exportedDAG { $0.tasks = [task] }
    return try #require((dag["tasks"] as? [[String: Any]])?.first)
  }

  @Test func `import errors are told beside the DAGs that are good`() throws {
    let all = try Self.export(DAGDescription(id: "a", location: Self.place))
    let errors = try #require(all["import_errors"] as? [[String: Any]])
    #expect(errors.count == 1 && errors[0]["file"] as? String == "/dags/b.swift" && errors[0]["line"] as? Int == 3)
    #expect(errors[0]["message"] as? String == "no such thing")
    let dag = try #require((all["dags"] as? [[String: Any]])?.first)
    #expect(dag["id"] as? String == "a" && dag["file"] as? String == "/dags/a.swift")
    #expect(dag["schedule"] is NSNull && dag["start_date"] is NSNull && dag["doc"] is NSNull)
  }

  @Test(arguments: [
    (
      Schedule.cron("0 3 * * *", timeZone: "Europe/Berlin"),
      #"{"cron":"0 3 * * *","timezone":"Europe/Berlin","data_interval":false}"#
    ),
    (.cron("@midnight"), #"{"cron":"0 0 * * *","timezone":"UTC","data_interval":false}"#),
    (.dataInterval("@daily"), #"{"cron":"0 0 * * *","timezone":"UTC","data_interval":true}"#),
    (.once, #"{"once":true}"#), (.continuous, #"{"continuous":true}"#),
  ])
  func `a schedule says what kind it is`(schedule: Schedule, json: String) {
    #expect(JSONText.compact(schedule.exportValue) == json)
  }

  @Test func `a task names all whose outputs it reads`() throws {
    var task = TaskDescription(
      id: "t", work: .bash(script: Template(parts: [.text("x "), .output(taskID: "a"), .raw(.output(taskID: "b"))])),
      location: Self.place)
    task.environment = ["V": Template(parts: [.output(taskID: "c")])]
    task.workingDirectory = Template(parts: [.output(taskID: "a")])
    let exported = try Self.exportedTask(task)
    #expect(exported["inputs"] as? [String] == ["a", "b", "c"])
    #expect(exported["operator"] as? String == "BashOperator" && exported["has_output"] as? Bool == true)
    #expect(exported["is_job"] as? Bool == false && exported["project"] is NSNull)
  }

  @Test func `setups and teardowns are told apart from work`() throws {
    var task = TaskDescription(id: "t", work: .empty, location: Self.place)
    #expect(try Self.exportedTask(task)["role"] as? String == "work")
    task.role = .setup
    #expect(try Self.exportedTask(task)["role"] as? String == "setup")
    task.role = .teardown(setups: ["s"], failsRun: true)
    let exported = try Self.exportedTask(task)
    #expect(exported["role"] as? String == "teardown" && exported["setups"] as? [String] == ["s"])
    #expect(exported["on_failure_fail_dagrun"] as? Bool == true && exported["has_output"] as? Bool == false)
  }

  @Test(
    arguments: [
      (
        Param.string("p", length: 1...3, matching: "[a-z]+", description: "why").description,
        #"{"type":"string","minLength":1,"maxLength":3,"pattern":"^(?:[a-z]+)$","description":"why"}"#
      ),
      // Python knows no such class: the value is checked when a task runs.
      (Param.string("p", matching: "\\p{L}+").description, #"{"type":"string"}"#),
      (Param.int("p", in: 1...10).description, #"{"type":"integer","minimum":1,"maximum":10}"#),
      (Param.double("p", atLeast: 0.5).description, #"{"type":"number","minimum":0.5}"#),
      (Param.bool("p").description, #"{"type":"boolean"}"#), (Param.date("p").description, #"{"type":"string"}"#),
      (Param.oneOf("p", ["a", "b"]).description, #"{"type":"string","enum":["a","b"]}"#),
      (
        Param.list("p", of: Int.self, length: 1...2).description,
        #"{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2}"#
      ),
    ] as [(ParameterDescription, String)])
  func `a parameter has a JSON schema`(parameter: ParameterDescription, schema: String) {
    #expect(JSONText.compact(.object(parameter.schema)) == schema)
  }

  @Test func `a default is told where there is one`() throws {
    let dag = try Self.exportedDAG {
      $0.parameters = [Param.bool("b", default: false).description, Param.int("i").description]
    }
    let params = try #require(dag["params"] as? [[String: Any]])
    #expect(params[0]["default"] as? Bool == false && params[1]["default"] == nil)
  }

  @Test func `the version of the protocol is told in JSON only`() async throws {
    let plain = TestSession()
    #expect(await plain.run("version") == .success)
    #expect(plain.output == "\(Version.text)\n")
    let json = TestSession()
    #expect(await json.run("version", "-o", "json") == .success)
    let record = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    #expect(record?["version"] as? String == Version.text && record?["protocol"] as? Int == Version.protocolNumber)
  }
}
