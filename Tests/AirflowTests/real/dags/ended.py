"""Jobs that end only with their tasks: in a worker and in the triggerer, by each way in which a task is ended. Where the
variable DAGRUN_TEST_ENDINGS names signals, a DAG of one such job for each, for `airflow dags test` and dag.test()."""

import datetime
import os
import sys

from airflow import DAG
from dagrun_plugin import ComputeEngineJobOperator, JobConfigBuilder

job_config = JobConfigBuilder().image("debian:stable-slim").machine_type("e2-small").zone("europe-west1-b").build()
begins = datetime.datetime(2026, 1, 1)


def endless(place, ending, **values):
    """A job that a signal of the test ends, should nothing else do it."""
    return ComputeEngineJobOperator(
        task_id=f"{place}_{ending}", job_config=job_config, name_prefix=f"{place}-{ending}".replace("_", "-"),
        deferrable=place == "triggerer", **values,
        cmd=f"""
            echo begun
            until curl -sf -o /dev/null "{os.environ["DAGRUN_TEST_SIGNALS"]}endless"; do sleep 0.5; done
        """,
    )


with DAG("ended", schedule="@once", start_date=begins, catchup=False, is_paused_upon_creation=True):
    for place in ("worker", "triggerer"):
        for ending in ("failed", "success", "skipped"):
            endless(place, ending)
        endless(place, "timeout", execution_timeout=datetime.timedelta(seconds=45))

for place in ("worker", "triggerer"):
    for ending in os.environ.get("DAGRUN_TEST_ENDINGS", "").split():
        with DAG(f"ended_{place}_{ending}", schedule=None, start_date=begins) as dag:
            endless(place, ending)
        globals()[dag.dag_id] = dag

if __name__ == "__main__":
    globals()[sys.argv[1]].test()
