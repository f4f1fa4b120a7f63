extension TaskDescription {
  /// The name of the type that the DAG file used.
  package var operatorName: String {
    switch decision {
    case .branch: "BranchOperator"
    case .shortCircuit: "ShortCircuitOperator"
    case .latestOnly: "LatestOnlyOperator"
    case nil: work.operatorName
    }
  }
}

extension TaskDescription.Work {
  package var job: ComputeEngineJobDescription? { if case .computeEngineJob(let job) = self { job } else { nil } }

  /// Of the operator that does such work and nothing else.
  fileprivate var operatorName: String {
    switch self {
    case .empty: "EmptyOperator"
    case .bash: "BashOperator"
    case .swift: "SwiftOperator"
    case .computeEngineJob(let job): job.isGroup ? "ComputeEngineJobGroupOperator" : "ComputeEngineJobOperator"
    }
  }
}
