// expect: compiler 6 "the output of a shell task is one text; if it is a list in JSON, take its output(as: [Int].self)"
import Dagrun

DAG("mapped") {
  let words = BashOperator("words", "echo '[1, 2]'")
  BashOperator("load", each: words.output) { row in "echo \(row)" }
}
