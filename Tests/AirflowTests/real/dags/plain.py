"""Of Airflow alone: shows that the Airflow of these tests works, before anything of dagrun is blamed."""

import datetime

from airflow import DAG

try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:
    from airflow.operators.bash import BashOperator

with DAG("plain", schedule="@once", start_date=datetime.datetime(2026, 1, 1), catchup=False):
    BashOperator(task_id="hello", bash_command="echo hello from $$")
