// expect: compiler 2 "consecutive statements on a line must be separated by ';'"
from dagrun import DAG

with DAG("python") as dag:
    extract = BashOperator(task_id="extract", bash_command="true")
