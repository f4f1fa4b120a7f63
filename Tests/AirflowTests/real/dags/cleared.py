"""Jobs whose tasks are cleared while they run: one in a worker, one in the triggerer. Each ends when the test puts an object
into a bucket."""

import datetime
import os

from airflow import DAG
from dagrun_plugin import ComputeEngineJobOperator, JobConfigBuilder

job_config = JobConfigBuilder().image("debian:stable-slim").machine_type("e2-small").zone("europe-west1-b").build()

with DAG(
    "cleared", schedule="@once", start_date=datetime.datetime(2026, 1, 1), catchup=False, is_paused_upon_creation=True,
    # Airflow 2 counts the end of a task that was cleared as a failed try.
    default_args={"retries": 1, "retry_delay": datetime.timedelta(seconds=1)},
):
    for name in ("works", "defers"):
        ComputeEngineJobOperator(
            task_id=name, job_config=job_config, name_prefix=f"cleared-{name}", deferrable=name == "defers",
            cmd=f"""
                echo begun
                until curl -sf -o /dev/null "{os.environ["DAGRUN_TEST_SIGNALS"]}cleared"; do
                  sleep 0.2
                done
                echo '"{name} to its end"' > "$DAGRUN_OUTPUT"
            """,
        )
