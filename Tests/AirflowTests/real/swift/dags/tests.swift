import Dagrun
import Foundation

let machine = JobConfig(project: "airflow-tests", image: "debian:stable-slim", machineType: "e2-small")
  .zones("europe-west1-b")

/// Run as one task of Airflow.
DAG("hello", params: [.string("who", default: "world")]) {
  let kernel = BashOperator("kernel", "uname -r")
  SwiftOperator("greet", kernel.output) { context, release in
    let who = try context.params.string("who")
    context.log.info("hello \(who) from \(release)")
  }
}

/// Each task is one of Airflow's.
DAG("mixed", schedule: .once, startDate: "2026-01-01") {
  let plan = SwiftOperator("plan") { _ in [1, 2, 3] }
  let sum = SwiftOperator("sum", plan.output) { _, numbers in numbers.reduce(0, +) }
  let count = ComputeEngineJobOperator(
    "count", job: machine, command: #"echo "counting to $(( \#(sum.output) ))"; echo \#(sum.output) > "$DAGRUN_OUTPUT""#
  )
  let shell = BashOperator("shell", "echo \(count.output(as: Int.self)) on \(.ds)")
  SwiftOperator("check", count.output(as: Int.self), shell.output) { context, number, text in
    guard number == 6, text == "6 on \(context.ds)" else { throw TaskFailure("\(number), '\(text)'") }
    try "\(number)".write(
      toFile: ProcessInfo.processInfo.environment["DAGRUN_TEST_REPORTS"]! + "/mixed", atomically: true, encoding: .utf8)
  }
}
