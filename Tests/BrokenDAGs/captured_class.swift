// expect: compiler 9 "Counter"
import Dagrun

final class Counter { var value = 0 }

DAG("captured_class") {
  let counter = Counter()
  SwiftOperator("count") { context in
    counter.value += 1
  }
}
