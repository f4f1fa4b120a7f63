// expect: description 4 "DAG \"no_tasks\" has no tasks"
import Dagrun

DAG("no_tasks") {

}
