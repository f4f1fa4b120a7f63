import Dagrun
import Scheduling

/// The DAGs that are measured: no-op Swift tasks in the shapes of `make bench`.
enum Shape: String, CaseIterable {
  case wide, chain, layered

  func plan(tasks count: Int) -> DAGPlan {
    var dag = DAGDescription(id: rawValue, location: SourceLocation(file: "", line: 0))
    dag.maxActiveTasks = 1_000_000
    var state: UInt64 = 1
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for index in 0..<count {
      var task = TaskDescription(
        id: "task_\(index)", work: .swift, location: SourceLocation(file: "", line: 0))
      switch self {
      case .wide: break
      case .chain: if index > 0 { task.upstream = ["task_\(index - 1)"] }
      case .layered:
        let width = max(1, count / 10)
        let layer = index / width
        if layer > 0 {
          for _ in 0..<3 {
            let upstream = "task_\((layer - 1) * width + random(width))"
            if !task.upstream.contains(upstream) { task.upstream.append(upstream) }
          }
        }
      }
      dag.tasks.append(task)
    }
    return DAGPlan(dag, version: "1")
  }
}
