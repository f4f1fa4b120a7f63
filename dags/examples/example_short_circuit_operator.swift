import Dagrun

/// A short circuit that answers false skips all below it; or only what is right below it, and trigger rules decide about
/// the rest.
DAG("example_short_circuit_operator", startDate: "2021-01-01", tags: ["example"]) {
  ShortCircuitOperator("condition_is_True") { _ in true } --> EmptyOperator("true_1") --> EmptyOperator("true_2")
  ShortCircuitOperator("condition_is_False") { _ in false } --> EmptyOperator("false_1") --> EmptyOperator("false_2")

  let tasks = (1...6).map { EmptyOperator("task_\($0)") }
  let task7 = EmptyOperator("task_7", triggerRule: .allDone)
  let shortCircuit = ShortCircuitOperator("short_circuit", ignoringDownstreamTriggerRules: false) { _ in false }
  tasks[0] --> [tasks[1], shortCircuit]
  tasks[1] --> tasks[2] --> tasks[4]
  shortCircuit --> tasks[3] --> tasks[5]
  [tasks[4], tasks[5]] --> task7
}
