import Dagrun

/// A task that is mapped over what the instances of another return.
DAG("example_task_mapping_second_order", startDate: "2022-03-04", tags: ["example"]) {
  let getNums = SwiftOperator("get_nums") { _ in [1, 2, 3] }
  let times2 = SwiftOperator("times_2", each: getNums.output) { _, num in num * 2 }
  SwiftOperator("add_10", each: times2.output) { _, num in num + 10 }
}
