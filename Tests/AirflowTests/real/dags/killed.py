"""Jobs whose worker is killed while they run: each ends when the test puts an object into a bucket."""

import datetime
import os

from airflow import DAG
from dagrun_plugin import ComputeEngineJobOperator, JobConfigBuilder

job_config = JobConfigBuilder().image("debian:stable-slim").machine_type("e2-small").zone("europe-west1-b").build()

with DAG(
    "killed", schedule="@once", start_date=datetime.datetime(2026, 1, 1), catchup=False, is_paused_upon_creation=True,
    default_args={"retries": 1, "retry_delay": datetime.timedelta(seconds=1)},
):
    for name in ("still_runs", "has_ended"):
        ComputeEngineJobOperator(
            task_id=name, job_config=job_config, name_prefix=name.replace("_", "-"),
            cmd=f"""
                echo begun
                until curl -sf -o /dev/null "{os.environ["DAGRUN_TEST_SIGNALS"]}{name}"; do
                  sleep 0.2
                done
                echo '"{name} to its end"' > "$DAGRUN_OUTPUT"
            """,
        )
