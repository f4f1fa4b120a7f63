// expect: description 10 "cannot come after task \"list\" of DAG \"first\": an edge joins tasks of one DAG"
import Dagrun

var lists: [Output<[String]>] = []

DAG("first") {
  lists.append(SwiftOperator("list") { _ in ["a"] }.output)
}
DAG("second") {
  BashOperator("load", each: lists[0]) { row in "echo \(row)" }
}
