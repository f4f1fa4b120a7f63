import Dagrun
import Foundation

// Runs that DagrunTriggerOperator begins, follows and cancels.

DAG("adds", params: [.int("a", default: 1), .int("b", default: 2)]) {
  let sum = SwiftOperator("sum") { context in try context.params.int("a") + context.params.int("b") }
  BashOperator("show", "echo the sum is \(sum.output)")
}

DAG("fails") {
  BashOperator("extract", "echo going; exit 7") --> BashOperator("load", "true")
}

/// Notes each of its beginnings, and waits until a file is there.
DAG("waits", params: [.string("folder")]) {
  BashOperator(
    "wait",
    """
    echo begun >> \(.param("folder"))/begun
    while [ ! -e \(.param("folder"))/go ]; do sleep 0.05; done
    echo ended >> \(.param("folder"))/begun
    """)
}
