// expect: compiler 2 ""
from dagrun import DAG

with DAG("python") as dag:
    extract = BashOperator(task_id="extract", bash_command="true")
