// expect: description 5 "has no parameter \"regoin\"; did you mean \"region\"?"
import Dagrun

DAG("unknown_param", params: [.string("region", default: "eu")]) {
  BashOperator("extract", "extract.sh \(.param("regoin"))")
}
