// expect: compiler 7 "'async'"
import Dagrun

func fetch() async -> Int { 1 }

DAG("no_await") {
  SwiftOperator("fetch") { _ in fetch() }
}
