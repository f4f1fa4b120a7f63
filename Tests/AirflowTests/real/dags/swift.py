"""An Airflow DAG for each Swift DAG."""

import os

from dagrun_plugin import dagrun_dags

globals().update(dagrun_dags(os.environ["DAGRUN_DAGS_FOLDER"]))
