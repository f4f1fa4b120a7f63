// expect: description 6 "a value is given to eval, which may evaluate it"
import Dagrun

DAG("evaluates") {
  for number in 1...2 { BashOperator("plain_\(number)", "echo \(number)") }
  BashOperator("evaluated", "eval \"echo \(.ds)\"")
}
