// expect: description 7 "task \"train\": the directory /data is a mount and an output; each needs a directory of its own"
import Dagrun

let machine = JobConfig(project: "my-project", image: "debian:stable-slim", machineType: "e2-small")

DAG("job_mount_and_output_in_one_directory") {
  ComputeEngineJobOperator(
    "train", job: machine, command: "train", mounts: ["my-bucket/in": "/data"], outputs: ["/data/": "my-bucket/out"])
}
