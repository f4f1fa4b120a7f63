// expect: compiler 8 "'output' is unavailable: the output of a group is the one that its braces return"
import Dagrun

DAG("output_of_a_group_without_one") {
  let checks = TaskGroup("checks") {
    BashOperator("rows", "true")
  }
  BashOperator("publish", "echo \(checks.output)")
}
