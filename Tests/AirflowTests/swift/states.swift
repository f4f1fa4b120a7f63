import Dagrun
import Foundation

// DAGs that dagrun and Airflow must bring to the same states, task by task.

struct Report: Codable, Sendable {
  var name: String
  var counts: [String: Int]
  var share: Double?
}

/// Values of many types go from task to task; a shell task gets one quoted, another hands JSON on.
DAG("values", params: [.int("top", default: 3, in: 1...10), .list("names", default: ["a", "it's"])]) {
  let number = SwiftOperator("number") { context in try context.params.int("top") * 2 }
  let names = SwiftOperator("names") { context in try context.params.value("names", as: [String].self) }
  let report = SwiftOperator("report", number.output, names.output) { _, number, names in
    Report(name: names.joined(separator: "+"), counts: ["all": number], share: nil)
  }
  let text = BashOperator("text", "printf '%s\\n' \(names.output)")
  let json = BashOperator("json", "echo '{\"n\": 4}' > \"$DAGRUN_OUTPUT\"")
  let nothing = SwiftOperator("nothing") { _ in Int?.none }
  let skipped = SwiftOperator("skipped") { _ -> Int? in throw TaskSkip("no data today") }
  SwiftOperator(
    "judge", number.output, report.output, text.output, json.output(as: [String: Int].self), nothing.output
  ) { _, number, report, text, json, nothing in
    guard number == 6, report.name == "a+it's", report.counts == ["all": 6], report.share == nil,
      text == #"["a","it's"]"#, json == ["n": 4], nothing == nil
    else { throw TaskFailure("\(number) \(report) \(text) \(json) \(String(describing: nothing))") }
    return true
  }
  SwiftOperator("without", skipped.output) { _, value in value == nil ? "none" : "some" }
    .triggerRule(.allDone)
  BashOperator("needs_it", "echo \(skipped.output)").triggerRule(.allDone)
}

/// Each trigger rule below each mixture of what its upstreams came to.
DAG("rules") {
  let good = BashOperator("good", "true")
  let bad = BashOperator("bad", "exit 3")
  let skip = BashOperator("skip", "exit 99")
  let below = BashOperator("below", "true")
  bad --> below  // upstream_failed
  let mixtures: [(String, [any DAGTask])] = [
    ("s", [skip]), ("u", [below]), ("gs", [good, skip]), ("gb", [good, bad]), ("bs", [bad, skip]),
  ]
  let rules: [TriggerRule] = [
    .allSuccess, .allFailed, .allDone, .oneSuccess, .oneFailed, .oneDone, .noneFailed, .noneFailedMinOneSuccess,
    .noneSkipped, .allSkipped, .always,
  ]
  for (name, upstreams) in mixtures {
    for rule in rules where !(rule == .allSuccess && name.contains("s") && name.contains("b")) {
      let task = BashOperator("\(rule.rawValue)_\(name)", "true").triggerRule(rule)
      for upstream in upstreams { upstream --> task }
    }
  }
}

DAG("tries") {
  SwiftOperator("second_time") { context in
    if context.tryNumber < 2 { throw Trouble() }
    return context.tryNumber
  }.retries(2, delay: .seconds(1))
  SwiftOperator("for_good") { _ in throw TaskFailure("the schema has changed") }.retries(3, delay: .seconds(1))
  BashOperator("always_bad", "exit 7").retries(1, delay: .seconds(1))
  BashOperator("too_long", "sleep 60", executionTimeout: .seconds(1))
  SwiftOperator("traps") { _ in
    let none: Int? = Int("x")
    print(none!)
  }
  EmptyOperator("empty") --> BashOperator("after", "true")
}

struct Trouble: Error {}

DAG("scratch") {
  let create = BashOperator("create", "true")
  create --> BashOperator("work", "exit 1") --> BashOperator("drop", "true").asTeardown(of: create)
}
