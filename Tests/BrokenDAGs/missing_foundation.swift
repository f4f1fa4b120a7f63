// expect: compiler 6 "cannot find 'FileManager' in scope"
import Dagrun

DAG("missing_foundation") {
  SwiftOperator("look") { _ in
    FileManager.default.fileExists(atPath: "/data")
  }
}
