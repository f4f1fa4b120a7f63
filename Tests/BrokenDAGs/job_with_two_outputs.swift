// expect: description 9 "task \"train\" has one output: what it wrote, by .output(as:), or its JobResult, by .output; use one of them"
import Dagrun

let machine = JobConfig(project: "my-project", image: "debian:stable-slim", machineType: "e2-small")

DAG("job_with_two_outputs") {
  let train = ComputeEngineJobOperator("train", job: machine, command: "echo 0.5 > $DAGRUN_OUTPUT")
  SwiftOperator("duration", train.output) { _, job in job.duration }
  SwiftOperator("loss", train.output(as: Double.self)) { _, loss in loss }
}
