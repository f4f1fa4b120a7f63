"""Everything that the plugin offers, once; the last task writes what the others have handed on for the test."""

import datetime
import json
import os
from pathlib import Path

from airflow import DAG
from dagrun_plugin import (
    ComputeEngineJobGroupOperator,
    ComputeEngineJobOperator,
    DagrunTriggerOperator,
    JobConfigBuilder,
    JobFactory,
    JobRuntimeSpec,
)

try:
    from airflow.providers.standard.operators.python import PythonOperator
except ImportError:
    from airflow.operators.python import PythonOperator

job_config = JobConfigBuilder().image("debian:stable-slim").machine_type("e2-small").zone("europe-west1-b").build()


def report(ti, dag_run):
    values = {task: ti.xcom_pull(task_ids=task) for task in ("job", "deferred", "group", "swift_run")}
    folder = Path(os.environ["DAGRUN_TEST_REPORTS"])
    kind = dag_run.run_id.split("__")[0]
    (folder / f"jobs-{kind}.json").write_text(json.dumps(values))


with DAG("jobs", schedule="@once", start_date=datetime.datetime(2026, 1, 1), catchup=False):
    job = ComputeEngineJobOperator(
        task_id="job", job_config=job_config, cmd='echo "hello $WHO"; echo "{\\"answer\\": 42}" > "$DAGRUN_OUTPUT"',
        env_vars={"WHO": "{{ dag.dag_id }}"},
    )
    deferred = ComputeEngineJobOperator(
        task_id="deferred", job_config=job_config, cmd=["sh", "-c", 'echo deferred "$1"', "-", "{{ ti.task_id }}"],
        deferrable=True,
        # Of the database, which a triggerer has to ask for: it is as good as none, for it names no key.
        gcp_conn_id="robot",
    )
    group = ComputeEngineJobGroupOperator(
        task_id="group", name="group", job_factory=JobFactory(job_config),
        runtime_specs=[JobRuntimeSpec(f'echo {number} > "$DAGRUN_OUTPUT"') for number in range(2)],
    )
    swift_run = DagrunTriggerOperator(
        task_id="swift_run", dag_id="hello", conf={"who": "{{ dag.dag_id }}"},
        dags_folder=os.environ["DAGRUN_DAGS_FOLDER"],
    )
    [job, deferred, group, swift_run] >> PythonOperator(task_id="report", python_callable=report)
