import Dagrun

/// Setups and teardowns, of the DAG and of a group in it. A teardown holds up nothing after it.
///
/// With `fails`, work fails: its teardown runs all the same, and what comes after does not.
DAG("example_setup_teardown", startDate: "2021-01-01", params: [.bool("fails", default: false)], tags: ["example"]) {
  let rootSetup = BashOperator("root_setup", "echo 'a cluster is made'")
  let rootNormal = BashOperator("normal", "echo 'work on the cluster'; [ \(.param("fails")) = false ]")
  let rootTeardown = BashOperator("root_teardown", "echo 'the cluster is gone'")
  rootSetup --> rootNormal --> rootTeardown.asTeardown(of: rootSetup)

  let section1 = TaskGroup("section_1") {
    let setup = BashOperator("taskgroup_setup", "echo 'a table is made'")
    let teardown = BashOperator("taskgroup_teardown", "echo 'the table is gone'")
    setup --> BashOperator("normal", "echo 'work on the table'") --> teardown.asTeardown(of: setup)
  }
  rootNormal --> section1
}
