// expect: compiler 7 "the task is mapped, so that its output is a list: output(as: [Int].self)"
import Dagrun

DAG("mapped") {
  let list = SwiftOperator("list") { _ in ["a"] }
  let load = BashOperator("load", each: list.output) { row in "echo \(row)" }
  SwiftOperator("next", load.output(as: Int.self)) { _, number in number }
}
