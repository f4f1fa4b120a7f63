import Dagrun

/// Setups and teardowns, of the DAG and of a group in it. A teardown holds up nothing after it.
///
/// With `fails`, work fails: its teardown runs all the same, and what comes after does not.
DAG("example_setup_teardown", startDate: "2021-01-01", params: [.bool("fails", default: false)], tags: ["example"]) {
  let rootSetup = BashOperator("root_setup", "echo 'Hello from root_setup'")
  let rootNormal = BashOperator("normal", "echo 'I am just a normal task'; [ \(.param("fails")) = false ]")
  let rootTeardown = BashOperator("root_teardown", "echo 'Goodbye from root_teardown'")
  rootSetup --> rootNormal --> rootTeardown.asTeardown(of: rootSetup)

  let section1 = TaskGroup("section_1") {
    let setup = BashOperator("taskgroup_setup", "echo 'Hello from taskgroup_setup'")
    let teardown = BashOperator("taskgroup_teardown", "echo 'Hello from taskgroup_teardown'")
    setup --> BashOperator("normal", "echo 'I am just a normal task'") --> teardown.asTeardown(of: setup)
  }
  rootNormal --> section1
}
