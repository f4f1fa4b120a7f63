// expect: description 4 "group \"checks\" is outside of any DAG; make it in the braces of DAG(…) { … }"
import Dagrun

TaskGroup("checks") {}
DAG("group_outside_of_a_dag") { BashOperator("rows", "true") }
