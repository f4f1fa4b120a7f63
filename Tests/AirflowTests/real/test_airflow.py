"""The plugin in real Airflow: `airflow dags test`, and a scheduler with LocalExecutor."""

from __future__ import annotations

import world


def test_airflow_itself_runs_a_task(airflow: world.Airflow) -> None:
    airflow.run("dags", "test", "plain")
    assert airflow.run_state("plain", "manual") == "success"


def test_a_scheduler_runs_a_task(running_airflow: world.Airflow) -> None:
    assert running_airflow.wait_for_end("plain") == "success", running_airflow.report("plain")
