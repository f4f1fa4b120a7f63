// expect: compiler 6 "cannot find 'create' in scope"
import Dagrun

DAG("setup_that_is_made_in_its_group") {
  let work = BashOperator("work", "true")
  TaskGroup("cluster", setup: create) {
    let create = BashOperator("create", "true")
    create --> work
  }
}
