// expect: compiler 6 "cannot find 'contxt' in scope"
import Dagrun

DAG("misspelt_variable") {
  SwiftOperator("report") { context in
    contxt.log.info("done")
  }
}
