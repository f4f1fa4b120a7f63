// expect: description 7 "an edge joins tasks of one DAG"
import Dagrun

var other: EmptyOperator?
DAG("group_setup_of_another_dag_one") { other = EmptyOperator("create") }
DAG("group_setup_of_another_dag_two") {
  TaskGroup("work", setup: other) { EmptyOperator("two") }
}
