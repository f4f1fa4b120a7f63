import Dagrun
import Testing

extension DescribingTests {
  @Suite struct GroupTests {
    private func upstream(_ file: FileDescription) -> [String: [String]] {
      Dictionary(uniqueKeysWithValues: file.dags[0].tasks.map { ($0.id, $0.upstream) })
    }

    private func problems(_ file: FileDescription) -> [String] { file.problems.map(\.message) }

    @Test func `arrows lead to where a group begins, and from where it ends`() {
      let file = describing {
        DAG("groups") {
          let load = EmptyOperator("load")
          let checks = TaskGroup("checks") {
            EmptyOperator("rows") --> EmptyOperator("nulls")
            EmptyOperator("alone")
          }
          load --> checks --> EmptyOperator("publish")
        }
      }
      #expect(problems(file).isEmpty)
      #expect(
        upstream(file) == [
          "load": [], "checks.rows": ["load"], "checks.nulls": ["checks.rows"], "checks.alone": ["load"],
          "publish": ["checks.nulls", "checks.alone"],
        ])
      #expect(file.dags[0].groups.map(\.id) == ["checks"])
      #expect(file.dags[0].tasks.map(\.groupID) == ["", "checks", "checks", "checks", ""])
    }

    @Test func `groups nest, with a prefix or without`() {
      let file = describing {
        DAG("nested") {
          TaskGroup("a") {
            TaskGroup("b") { EmptyOperator("x") }
            TaskGroup("c", prefix: false) {
              EmptyOperator("y")
              TaskGroup("d") { EmptyOperator("z") }
            }
          }
        }
      }
      #expect(problems(file).isEmpty)
      #expect(file.dags[0].tasks.map(\.id) == ["a.b.x", "y", "d.z"])
      #expect(file.dags[0].tasks.map(\.groupID) == ["a.b", "a.c", "d"])
      #expect(file.dags[0].groups.map(\.id) == ["a", "a.b", "a.c", "d"])
      #expect(file.dags[0].groups.map(\.parentID) == ["", "a", "a", "a.c"])
      #expect(file.dags[0].groups.map(\.prefix) == ["a.", "a.b.", "", "d."])
    }

    @Test func `a group's defaults are those of its tasks, and of the groups in it`() {
      let file = describing {
        DAG("defaults", defaults: TaskDefaults(retries: 1, pool: "outer")) {
          EmptyOperator("before")
          TaskGroup("g", defaults: TaskDefaults(retries: 5)) {
            EmptyOperator("a")
            BashOperator("b", "true", retries: 2)
            TaskGroup("h") { EmptyOperator("c") }
          }
          EmptyOperator("after")
        }
      }
      #expect(file.dags[0].tasks.map(\.retries) == [1, 5, 2, 5, 1])
      #expect(file.dags[0].tasks.map(\.pool) == ["outer"] + Array(repeating: "default_pool", count: 3) + ["outer"])
    }

    @Test func `what a group returns can be used, and its output`() {
      let file = describing {
        DAG("content") {
          let table = TaskGroup("table") {
            let fetch = SwiftOperator("fetch") { _ in "a.csv" }
            return SwiftOperator("count", fetch.output) { _, path in path.count }.output
          }
          SwiftOperator("report", table.output) { _, rows in print(rows + 1) }
        }
      }
      #expect(problems(file).isEmpty)
      #expect(upstream(file)["report"] == ["table.count"])
      #expect(file.dags[0].tasks.last?.inputs == ["table.count"])
    }

    @Test func `an empty group passes arrows on`() {
      let file = describing {
        DAG("empty") {
          EmptyOperator("a") --> TaskGroup("none") {} --> EmptyOperator("b")
        }
      }
      #expect(problems(file).isEmpty)
      #expect(upstream(file) == ["a": [], "b": ["a"]])
    }

    @Test func `work after a group does not wait for a teardown in it`() {
      let file = describing {
        DAG("teardown") {
          let group = TaskGroup("g") {
            let create = EmptyOperator("create")
            let work = EmptyOperator("work")
            create --> work --> EmptyOperator("drop").asTeardown(of: create)
          }
          group --> EmptyOperator("after")
        }
      }
      #expect(problems(file).isEmpty)
      #expect(upstream(file)["after"] == ["g.work"])
    }

    @Test func `a setup and a teardown stand around a group`() {
      let file = describing {
        DAG("cluster") {
          let create = EmptyOperator("create")
          let drop = EmptyOperator("drop")
          TaskGroup("work", setup: create, teardown: drop) {
            EmptyOperator("a") --> EmptyOperator("b")
            EmptyOperator("c")
          }
        }
      }
      #expect(problems(file).isEmpty)
      #expect(
        upstream(file) == [
          "create": [], "drop": ["work.b", "work.c", "create"], "work.a": ["create"], "work.b": ["work.a"],
          "work.c": ["create"],
        ])
      #expect(file.dags[0].tasks[0].role == .setup)
      #expect(file.dags[0].tasks[1].role == .teardown(setups: ["create"], failsRun: false))
    }

    @Test func `a group's teardown stays what it was made`() {
      let file = describing {
        DAG("cluster") {
          let login = EmptyOperator("login")
          let create = EmptyOperator("create")
          let drop = EmptyOperator("drop").asTeardown(of: login, failsRun: true)
          TaskGroup("work", setup: create, teardown: drop) { EmptyOperator("a") }
        }
      }
      #expect(problems(file).isEmpty)
      #expect(file.dags[0].tasks[2].role == .teardown(setups: ["login", "create"], failsRun: true))
    }

    @Test func `an arrow to a group leads to its setup, and one from it does not start at its teardown`() {
      let file = describing {
        DAG("cluster") {
          let group = TaskGroup("work", setup: EmptyOperator("create"), teardown: EmptyOperator("drop")) {
            EmptyOperator("a")
          }
          EmptyOperator("before") --> group --> EmptyOperator("after")
        }
      }
      #expect(problems(file).isEmpty)
      #expect(
        upstream(file) == [
          "before": [], "create": ["before"], "work.a": ["create"], "drop": ["work.a", "create"], "after": ["work.a"],
        ])
    }

    @Test func `ids are unique among tasks and groups`() {
      let file = describing {
        DAG("twice") {
          TaskGroup("g") { EmptyOperator("a") }
          TaskGroup("g") { EmptyOperator("b") }
          EmptyOperator("g")
          EmptyOperator("h")
          TaskGroup("h") { EmptyOperator("c") }
          TaskGroup("not a name") { EmptyOperator("d") }
          TaskGroup("a.dot") { EmptyOperator("e") }
          TaskGroup("k") {
            EmptyOperator("")
            TaskGroup("") { EmptyOperator("f") }
          }
        }
      }
      let messages = problems(file)
      #expect(messages.contains { $0.hasPrefix("there are two groups \"g\" in DAG \"twice\"") })
      #expect(
        messages.contains { $0.hasPrefix("a task and a group are both called \"g\" in DAG \"twice\"; the group") })
      #expect(messages.contains { $0.hasPrefix("a task and a group are both called \"h\" in DAG \"twice\"; the task") })
      #expect(messages.contains { $0.hasPrefix("the group id \"not a name\"") })
      #expect(messages.contains("the task id \"\" is empty") && messages.contains("the group id \"\" is empty"))
      #expect(messages.contains { $0.hasPrefix("the group id \"a.dot\" must not contain a dot") })
    }

    @Test func `a group outside of any DAG is a mistake with its place`() {
      let file = describing { TaskGroup("lost") { EmptyOperator("a") } }
      #expect(
        problems(file) == [
          "group \"lost\" is outside of any DAG; make it in the braces of DAG(…) { … }",
          "task \"a\" is outside of any DAG; make it in the braces of DAG(…) { … }",
        ])
    }
  }
}
