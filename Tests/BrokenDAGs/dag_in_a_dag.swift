// expect: description 6 "is inside of DAG \"outer\""
import Dagrun

DAG("outer") {
  EmptyOperator("one")
  DAG("inner") { EmptyOperator("two") }
}
