// expect: description 4 "task \"stray\" is outside of any DAG"
import Dagrun

BashOperator("stray", "true")
DAG("task_outside_of_a_dag") { EmptyOperator("one") }
