// expect: description 5 "there is no pool \"gpu\"; make it with: dagrun pools set gpu SLOTS"
import Dagrun

DAG("unknown_pool") {
  BashOperator("train", "true", pool: "gpu")
}
