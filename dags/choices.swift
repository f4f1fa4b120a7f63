// Groups, branches and short circuits, on nothing but this machine's own files. Try:
//
//     dagrun trigger choices
//     dagrun trigger choices -c '{"folder": "/"}'

import Dagrun
import Foundation

enum Size: String, CaseIterable { case empty, small, large }

DAG("choices", params: [.string("folder", default: "/etc")], tags: ["example"]) {
  let count = SwiftOperator("count") { context in
    try FileManager.default.contentsOfDirectory(atPath: context.params.string("folder")).count
  }

  let choose = BranchOperator("choose", count.output, to: Size.self) { _, entries in
    entries == 0 ? .empty : entries < 100 ? .small : .large
  }

  let details = TaskGroup("details") {
    BashOperator("largest", "cd \(.param("folder")) && ls -S | head -n 3")
    BashOperator("newest", "cd \(.param("folder")) && ls -t | head -n 3")
  }
  let summary = BashOperator("summary", "echo \(count.output) entries, too many to list")

  choose.when(.small) --> details
  choose.when(.large) --> summary
  choose.when(.empty) --> .nothing

  let report = BashOperator("report", "echo done", triggerRule: .noneFailedMinOneSuccess)
  [details, summary] --> report
  report --> ShortCircuitOperator("publish_at_all") { context in context.runID.hasPrefix("scheduled") }
    --> BashOperator("publish", "echo nobody sees this in a manual run")
}
