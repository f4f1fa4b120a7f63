// expect: compiler 7 "mutation of captured var 'seen' in concurrently-executing code"
import Dagrun

DAG("mutable_local_state") {
  var seen = 0
  SwiftOperator("look") { context in
    seen += 1
  }
}
