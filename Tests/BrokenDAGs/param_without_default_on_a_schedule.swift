// expect: description 4 "parameter \"region\" has no default"
import Dagrun

DAG("param_without_default_on_a_schedule", schedule: .daily, params: [.string("region")]) {
  BashOperator("extract", "true")
}
