import Dagrun
import Foundation

let regions = ["eu", "us"]
let gpu = JobConfig(project: "my-gcp-project", image: "google/cloud-sdk:latest", machineType: "n1-standard-32")
    .spot().zones("europe-west1-b", "europe-west1-c")

DAG("nightly", schedule: .cron("0 3 * * *", timeZone: "Europe/Berlin"), startDate: "2026-01-01",
    defaults: .init(retries: 2, retryDelay: .minutes(5))) {

    let extracts = regions.map { BashOperator("extract_\($0)", "extract.sh --region \($0) --day \(.ds)") }

    let count = SwiftOperator("count_rows") { context in                      // output: Int
        try rows(in: "out/\(context.ds).csv")
    }

    let train = ComputeEngineJobOperator("train", job: gpu,                    // a VM, for this task only
        command: ["python", "train.py", "--rows", "\(count.output)", "--day", "\(.ds)"],
        outputs: ["/artifacts": "my-bucket/models/\(.ds)"])

    SwiftOperator("report", count.output, train.output) { context, rows, job in
        "\(rows) rows, trained in \(job.duration)"                             // rows: Int, job: JobResult
    }

    extracts --> count                                                         // count.output already ties count to train and report
}

func rows(in path: String) throws -> Int { try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count }
