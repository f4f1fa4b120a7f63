// expect: compiler 5 "cannot find 'BranchPythonOperator' in scope"
import Dagrun

DAG("airflow_branch") {
  BranchPythonOperator("choose") { _ in "full" }
}
