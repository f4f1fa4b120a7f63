import Dagrun

// What `make-home` runs, and what is still under way in the databases that it has made. Only shell tasks and jobs: they
// need nothing of the compiled file.

let gate = "until [ -e ../gate ]; do sleep 0.05; done"
let machine = JobConfig(project: "demo", image: "debian", machineType: "e2-small").zones("europe-west1-b")

DAG("history", defaults: .init(retries: 1, retryDelay: .seconds(0))) {
  let rows = BashOperator("rows", "echo 41")
  BashOperator("flaky", "test -e ../flaky || { touch ../flaky; exit 3; }")
  BashOperator("use", "echo \(rows.output)")
}

DAG("running") {
  let first = BashOperator("first", "echo 1")
  let gated = BashOperator("gated", "\(raw: gate); echo \(first.output)2")
  BashOperator("last", "echo \(gated.output)3")
}

DAG("retrying", defaults: .init(retries: 1, retryDelay: .seconds(60))) {
  BashOperator("again", "test -e ../gate")
}

DAG("days", schedule: .daily, startDate: "2026-01-01") {
  BashOperator("day", "\(raw: gate); echo \(.ds)")
}

// Its job waits for the end of the minute in which it was begun.
DAG("job", params: [.string("until", default: "0")], defaults: .init(retries: 1, retryDelay: .seconds(0))) {
  ComputeEngineJobGroupOperator(
    "train", job: machine,
    specs: ["a", "b"].map { name in
      JobRuntimeSpec(command: "until [ $(date +%s) -gt \(.param("until")) ]; do sleep 0.1; done; echo \(name)")
    })
}
