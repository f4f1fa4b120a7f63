// expect: description 7 "an edge joins tasks of one DAG"
import Dagrun

var other: EmptyOperator?
DAG("foreign_edge_one") { other = EmptyOperator("one") }
DAG("foreign_edge_two") {
  let two = EmptyOperator("two")
  other! --> two
}
