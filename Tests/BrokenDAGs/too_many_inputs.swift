// expect: compiler 7 "expects 3 arguments, but 2 were used in closure body"
import Dagrun

DAG("too_many_inputs") {
  let one = SwiftOperator("one") { _ in 1 }
  let two = SwiftOperator("two") { _ in 2 }
  SwiftOperator("sum", one.output, two.output) { context, first in
    first
  }
}
