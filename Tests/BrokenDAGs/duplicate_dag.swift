// expect: description 5 "there are two DAGs \"duplicate_dag\"; the first is in line"
import Dagrun

DAG("duplicate_dag") { EmptyOperator("one") }
DAG("duplicate_dag") { EmptyOperator("two") }
