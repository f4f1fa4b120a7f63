// expect: compiler 7 "name the type of the error, as in .error(NetworkDown.self, then: .fail)"
import Dagrun

struct NetworkDown: Error {}

DAG("rule_for_an_instance") {
  SwiftOperator("extract") { _ in 1 }.retry(on: .error(NetworkDown(), then: .fail))
}
