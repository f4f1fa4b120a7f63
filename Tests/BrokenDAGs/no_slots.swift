// expect: description 5 "poolSlots is 0; it must be 1 or more"
import Dagrun

DAG("no_slots") {
  BashOperator("extract", "true").pool("default_pool", slots: 0)
}
