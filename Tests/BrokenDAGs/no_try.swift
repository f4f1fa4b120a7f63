// expect: compiler 7 "can throw"
import Dagrun

func read() throws -> String { "text" }

DAG("no_try") {
  let text = read()
  BashOperator("extract", "echo \(text)")
}
