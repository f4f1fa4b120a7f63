import Dagrun

/// Groups, one of them in another, connected as though each were a task.
DAG("example_task_group", startDate: "2021-01-01", tags: ["example"]) {
  let section1 = TaskGroup("section_1", description: "Tasks for section_1") {
    EmptyOperator("task_1") --> [BashOperator("task_2", "echo 1"), EmptyOperator("task_3")]
  }

  let section2 = TaskGroup("section_2", description: "Tasks for section_2") {
    EmptyOperator("task_1")
    TaskGroup("inner_section_2", description: "Tasks for inner_section2") {
      [BashOperator("task_2", "echo 1"), EmptyOperator("task_3")] --> EmptyOperator("task_4")
    }
  }

  EmptyOperator("start") --> section1 --> section2 --> EmptyOperator("end")
}
