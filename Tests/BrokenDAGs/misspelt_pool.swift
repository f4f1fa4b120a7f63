// expect: description 5 "did you mean \"default_pool\"?"
import Dagrun

DAG("misspelt_pool") {
  BashOperator("train", "true").pool("defalt_pool")
}
