import Dagrun
import Foundation
import Testing

/// What top-level code of a file would say. The registry is one for the process, so these tests take turns.
func describing(_ file: () -> Void) -> FileDescription {
  Registry.reset()
  file()
  return Registry.description()
}

@Suite(.serialized) struct DescribingTests {
  private func upstream(_ file: FileDescription) -> [String: [String]] {
    Dictionary(uniqueKeysWithValues: file.dags[0].tasks.map { ($0.id, $0.upstream) })
  }

  @Test func `arrows chain over tasks, arrays and chains, in both directions of the mix`() {
    let file = describing {
      DAG("arrows") {
        let a = EmptyOperator("a")
        let b = BashOperator("b", "true")
        let c = SwiftOperator("c") { _ in 1 }
        let d = EmptyOperator("d")
        let rest = ["e", "f"].map { EmptyOperator($0) }
        a --> [b, c] --> d --> rest
        rest --> EmptyOperator("g")
        [a, b --> d] --> EmptyOperator("h")
        [EmptyOperator("i")] --> [EmptyOperator("j"), EmptyOperator("k")]
      }
    }
    #expect(file.problems.isEmpty)
    #expect(
      upstream(file) == [
        "a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"], "f": ["d"], "g": ["e", "f"], "h": ["a", "d"],
        "i": [], "j": ["i"], "k": ["i"],
      ])
  }

  @Test func `an arrow to or from an empty array changes nothing`() {
    let file = describing {
      DAG("empty") {
        let none: [EmptyOperator] = []
        EmptyOperator("a") --> none --> EmptyOperator("b")
        none --> EmptyOperator("c")
      }
    }
    #expect(upstream(file) == ["a": [], "b": ["a"], "c": []])
  }

  @Test func `an output in an argument or a template is an edge, drawn once`() {
    let file = describing {
      DAG("outputs") {
        let size = BashOperator("size", "wc -c < x")
        let double = SwiftOperator("double", size.output(as: Int.self)) { _, size in size * 2 }
        let both = BashOperator("both", "echo \(size.output) \(raw: double.output) \(size.output)")
        size --> both
        BashOperator("around", "true", environment: ["N": "\(double.output)"], workingDirectory: "/\(both.output)")
      }
    }
    #expect(
      upstream(file) == [
        "size": [], "double": ["size"], "both": ["size", "double"], "around": ["double", "both"],
      ])
    #expect(file.dags[0].tasks[1].inputs == ["size"])
  }

  @Test func `a task has what it says, or else what the defaults say`() {
    let file = describing {
      DAG(
        "settings",
        defaults: .init(
          retries: 2, retryDelay: .minutes(1), pool: "small", environment: ["A": "1", "B": "2"],
          workingDirectory: "/data/\(.ds)", runAsUser: "trainer")
      ) {
        EmptyOperator("empty")
        ComputeEngineJobOperator("job", job: JobConfig(project: "p", image: "i"), command: ["run"])
        SwiftOperator("swift") { _ in }.runAsUser("reporter")
        BashOperator("plain", "true")
        BashOperator("own", "true", environment: ["B": "3"], workingDirectory: "/tmp", retries: 0, pool: "large")
          .retries(5, delay: .hours(1), backoff: 2, maxDelay: .days(1))
          .executionTimeout(.seconds(30)).triggerRule(.allDone).pool("huge", slots: 3)
          .priority(7, rule: .absolute).dependsOnPast(waitBeforeSkipping: true)
          .maxActive(perDAG: 4).maxActive(perRun: 2).documentation("Does nothing.")
      }
    }
    let (plain, own) = (file.dags[0].tasks[3], file.dags[0].tasks[4])
    // Tasks that run nothing here have no account.
    #expect(file.dags[0].tasks.map(\.runAsUser) == [nil, nil, "reporter", "trainer", "trainer"])
    #expect(plain.retries == 2 && plain.retryDelaySeconds == 60 && plain.pool == "small")
    #expect(plain.environment == ["A": "1", "B": "2"] && plain.workingDirectory == "/data/\(.ds)")
    #expect(own.retries == 5 && own.retryDelaySeconds == 3600 && own.retryBackoffMultiplier == 2)
    #expect(own.maxRetryDelaySeconds == 86400 && own.executionTimeoutSeconds == 30 && own.triggerRule == .allDone)
    #expect(own.pool == "huge" && own.poolSlots == 3 && own.priorityWeight == 7 && own.weightRule == .absolute)
    #expect(own.dependsOnPast && own.waitForPastDependsBeforeSkipping)
    #expect(own.maxActivePerDAG == 4 && own.maxActivePerRun == 2 && own.documentation == "Does nothing.")
    #expect(own.environment == ["A": "1", "B": "3"] && own.workingDirectory == "/tmp")
  }

  @Test func `an account is for what runs here, and has a name`() {
    let file = describing {
      DAG("accounts") {
        EmptyOperator("empty").runAsUser("a")
        ComputeEngineJobOperator("job", job: JobConfig(project: "p", image: "i"), command: ["run"]).runAsUser("a")
        for (number, name) in ["", "-a", "a:b", "a b", "a/b", "a\nb", "0"].enumerated() {
          BashOperator("wrong\(number)", "true").runAsUser(name)
        }
        for (number, name) in ["a", "_a", "a-b_c.d", "samba$", "DOMAIN\\a", "a@domain"].enumerated() {
          BashOperator("right\(number)", "true").runAsUser(name)
        }
      }
    }
    #expect(file.problems.count == 9, "\(file.problems)")
    #expect(file.problems.allSatisfy { $0.message.contains("runAsUser") }, "\(file.problems)")
  }

  @Test func `a teardown names its setups and runs when one has succeeded`() {
    let file = describing {
      DAG("teardown") {
        let create = BashOperator("create", "createdb x")
        create --> EmptyOperator("work")
          --> BashOperator("drop", "dropdb x").asTeardown(of: create, failsRun: true)
      }
    }
    let tasks = file.dags[0].tasks
    #expect(tasks[0].role == .setup)
    #expect(tasks[2].role == .teardown(setups: ["create"], failsRun: true))
    #expect(tasks[2].triggerRule == .allDoneSetupSuccess && Set(tasks[2].upstream) == ["create", "work"])
  }

  @Test func `a description survives JSON, whatever it says`() throws {
    let file = describing {
      DAG(
        "everything", schedule: .dataInterval("0 3 * * *", timeZone: "Europe/Berlin"), startDate: "2026-01-01",
        endDate: "2027-01-01T00:00:00.000001", catchup: true,
        params: [
          .string("s:1", default: "x", length: 1...3, matching: "[a-z]+"), .int("i", default: 3, in: 1...10),
          .double("d", default: 0.5), .bool("b", default: true), .date("t", default: "2026-01-01"),
          .oneOf("o", ["p", "q"], default: "p"), .list("l", default: ["a"]), .list("n", of: Int.self, default: [1]),
        ], tags: ["x"], description: "All of it.", maxActiveRuns: 2, maxActiveTasks: 3, dagrunTimeout: .hours(2)
      ) {
        let bash = BashOperator(
          "bash", "echo \\(back\\) \(.ds) \(raw: "a\\b\\\u{301}") \(.param("s:1")) \(.var("v")) \("two\nlines") \\",
          environment: ["X": "\(.tsNodash)"])
        SwiftOperator("swift", bash.output) { _, line in line }.retries(1, delay: .seconds(0.5)).asTeardown(of: bash)
        ComputeEngineJobOperator(
          "job", job: JobConfig(project: "p", image: "i").spot().zones("europe-west1-b"),
          command: ["run", "\(bash.output)"], mounts: ["bucket/in/\(.ds)": "/in"], outputs: ["/out": "bucket/\(.ds)"])
        EmptyOperator("empty", triggerRule: .always).priority(2, rule: .upstream)
      }
    }
    #expect(file.problems.isEmpty, "\(file.problems)")
    let data = try JSONEncoder().encode(file)
    #expect(try JSONDecoder().decode(FileDescription.self, from: data) == file)
  }

  @Test func `a job's script that is not there is a mistake`() {
    let file = describing {
      DAG("scripts") { ComputeEngineJobOperator("job", job: JobConfig(project: "p", image: "i"), file: "none.sh") }
    }
    #expect(file.problems.contains { $0.message.contains("there is no file \"none.sh\"") }, "\(file.problems)")
  }

  @Test func `what has its default value is left out of the JSON`() throws {
    let file = describing { DAG("small") { BashOperator("a", "echo \(.ds)") } }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let text = String(decoding: try encoder.encode(file.dags[0].tasks[0]), as: UTF8.self)
    let line = file.dags[0].tasks[0].location.line
    #expect(text.hasPrefix(#"{"bash":"echo \\(run:ds\\)","file":""#) && text.hasSuffix(#""id":"a","line":\#(line)}"#))
  }

  @Test func `a mistake is noted with its line, and the file continues`() {
    let line = #line
    let file = describing {
      DAG("mistakes", schedule: .cron("x"), startDate: "soon") {
        BashOperator("a", "true", retries: -1)
        BashOperator("a", "true")
        BashOperator("b c", "echo \(.param("no"))")
      }
    }
    #expect(file.problems.map(\.location.line) == [line + 2, line + 4, line + 5, line + 2, line + 3, line + 5])
    #expect(file.problems.allSatisfy { $0.location.file == #filePath })
    #expect(file.problems[5].message == "task \"b c\": DAG \"mistakes\" has no parameter \"no\"; declare it in params:")
  }

  @Test func `no name begins like an option`() {
    let file = describing {
      DAG("-d", params: [.int("-p", default: 1)]) { BashOperator("-t", "true", pool: "-pool") }
    }
    #expect(file.problems.count == 4)
    #expect(file.problems.allSatisfy { $0.message.contains("take it for an option") })
  }

  @Test func `a place that takes no value is noted when the file is read, with its line`() {
    let job = JobConfig(project: "my-project", image: "debian")
    let line = #line
    let file = describing {
      DAG("places") {
        BashOperator("fine", "[[ \(.var("x")) -gt 0 ]] && echo $'\(.runID)' $((\(.tryNumber)))")
        BashOperator("raw", "\(raw: .var("x")) `\(.ds)`")
        BashOperator("backticks", "echo `\(.ds)`")
        BashOperator("date", "echo $((\(.ds)))")
        BashOperator("known", "[ \("x") -gt 0 ]")
        BashOperator("number", "[ \(5) -gt 0 ]")
        BashOperator("twice", "eval \(.ds) \(.runID)")
        ComputeEngineJobOperator("job", job: job, command: "echo $'\(.ds)'")
        ComputeEngineJobOperator("job_of_bash", job: job, command: "#!/bin/bash\necho $'\(.ds)'")
        ComputeEngineJobOperator("python", job: job, command: "#!/usr/bin/python3\nprint(`\(.ds)`)")
        ComputeEngineJobOperator("hidden_shell", job: job, command: "#!/usr/bin/env\t-S A=1 sh\n`\(.ds)`")
      }
    }
    #expect(file.problems.map { $0.location.line - line } == [5, 6, 7, 9, 10, 13])
  }

  @Test func `a chain of 100,000 tasks is not a cycle, and takes no deep recursion`() {
    let file = describing {
      DAG("long") {
        var last = EmptyOperator("0")
        for number in 1..<100_000 {
          let next = EmptyOperator("\(number)")
          last --> next
          last = next
        }
      }
    }
    #expect(file.problems.isEmpty && file.dags[0].tasks.count == 100_000)
  }

  @Test func `a Swift task's closure is found, decodes its inputs and encodes its value`() async throws {
    struct Row: Codable, Sendable, Equatable {
      var name: String
      var at: Date
    }
    _ = describing {
      DAG("swift") {
        let count = BashOperator("count", "echo 3")
        let row = SwiftOperator("row", count.output(as: Int.self)) { context, count in
          Row(name: "\(context.ds) × \(count)", at: Date(timeIntervalSince1970: 0.25))
        }
        SwiftOperator("name", row.output, count.output) { _, row, text in row.name + text }
        SwiftOperator(
          "sum", count.output(as: Int.self), count.output(as: Int.self), count.output(as: Int.self),
          count.output(as: Int.self), count.output(as: Double.self)
        ) { _, a, b, c, d, e in Double(a + b + c + d) + e }
        SwiftOperator("nothing", row.output) { _, row in _ = row.at }
      }
    }
    let run = RunContext(dagID: "swift", runID: "r", runAfter: try #require(Timestamp(iso8601: "2026-01-31T05:00")))
    func result(_ id: String, _ inputs: String...) async throws -> String? {
      let body: SwiftTaskBody? = Registry.body(dagID: "swift", taskID: id)
      let data = try await body?(TaskContext(run: run, taskID: id, tryNumber: 1), inputs.map { Data($0.utf8) })
      return data.map { String(decoding: $0, as: UTF8.self) }
    }
    let row = #"{"at":"1970-01-01T00:00:00.250000+00:00","name":"2026-01-31 × 3"}"#
    #expect(try await result("row", "3") == row)
    // A shell task's output is text.
    #expect(try await result("row", "\"3\"") == row)
    #expect(try await result("name", row, "\"!\"") == "\"2026-01-31 × 3!\"")
    #expect(try await result("sum", "1", "2", "3", "4", "0.5") == "10.5")
    #expect(try await result("nothing", row) == nil)
    #expect(Registry.body(dagID: "swift", taskID: "count") == nil)
    let error = await #expect(throws: InputMismatch.self) { try await result("row", "\"many\"") }
    #expect(error?.description == "the output of task \"count\" is not of type Int: \"many\"")
  }

  @Test func `a job has one output, its result or what it wrote`() {
    let machine = JobConfig(project: "my-project", image: "image")
    var (first, both) = (0, 0)
    let file = describing {
      DAG("jobs") {
        let own = ComputeEngineJobOperator("own", job: machine, command: ["a"])
        SwiftOperator("numbers", own.output(as: Int.self), own.output(as: Double.self)) { _, _, _ in }
        let result = ComputeEngineJobOperator("result", job: machine, command: ["a"])
        SwiftOperator("results", result.output, result.output) { _, _, _ in }
        let mixed = ComputeEngineJobOperator("mixed", job: machine, command: ["a"])
        first = #line + 1
        SwiftOperator("one", mixed.output(as: Int.self)) { _, _ in }
        SwiftOperator("two", mixed.output) { _, _ in }
        let other = ComputeEngineJobOperator("other", job: machine, command: ["a"])
        BashOperator("three", "echo \(other.output)")
        both = #line + 1
        BashOperator("four", "echo \(other.output(as: String.self)) \(other.output)")
      }
    }
    #expect(file.problems.map(\.location.line) == [first, both])
    #expect(file.problems.allSatisfy { $0.message.contains("has one output") })
  }
}
