// expect: description 6 "maxRunDuration is 9223372036854775807 s; at most 120 days (10368000 s)"
import Dagrun

let machine = JobConfig(project: "demo", image: "debian").maxRunDuration(.seconds(Int.max))
DAG("machine") {
  ComputeEngineJobOperator("a", job: machine, command: ["true"])
}
