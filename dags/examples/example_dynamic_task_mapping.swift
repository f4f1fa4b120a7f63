import Dagrun

/// One instance of a task for each element of an array.
DAG("example_dynamic_task_mapping", startDate: "2022-03-04", tags: ["example"]) {
  let addedValues = SwiftOperator("add_one", each: [1, 2, 3]) { _, x in x + 1 }

  SwiftOperator("sum_it", addedValues.output) { _, values in
    print("Total was \(values.reduce(0, +))")
  }
}
