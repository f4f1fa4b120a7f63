import Dagrun

/// A function that makes a group, called five times. Values go from task to task inside of each.
DAG("example_task_group_decorator", startDate: "2021-01-01", tags: ["example"]) {
  let start = SwiftOperator("task_start") { _ in "[Task_start]" }
  let end = SwiftOperator("task_end") { _ in print("[ Task_End  ]") }
  for number in 0..<5 {
    let name = number == 0 ? "task_group_function" : "task_group_function__\(number)"
    start --> makeGroup(name, number) --> end
  }
}

func makeGroup(_ name: String, _ value: Int) -> TaskGroup<SwiftOperator<Void>> {
  TaskGroup(name) {
    let task1 = SwiftOperator("task_1") { _ in "[ Task1 \(value) ]" }
    let task2 = SwiftOperator("task_2", task1.output) { _, text in "[ Task2 \(text) ]" }
    return SwiftOperator("task_3", task2.output) { _, text in print("[ Task3 \(text) ]") }
  }
}
