// expect: warning - "the file's top-level code printed while it was described: hello"
import Dagrun

print("hello")
DAG("prints_while_describing") {
  BashOperator("extract", "true")
}
