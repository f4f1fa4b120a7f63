// expect: compiler 8 "'runs'"
import Dagrun

var runs = 0

DAG("mutable_global_state") {
  SwiftOperator("count_runs") { context in
    runs += 1
  }
}
