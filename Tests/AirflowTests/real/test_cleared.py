"""Tasks that are cleared in mid-job, in a worker and in the triggerer: their jobs are cancelled, all of them is removed, and the
next try begins anew."""

from __future__ import annotations

import urllib.request
from typing import Any

import world


def machines(emulator: world.Emulator) -> dict[str, str]:
    """By what the test calls the task: the machine of its job."""
    names = [instance["name"].rsplit("/", 1)[1] for instance in emulator.inventory()["instances"]]
    return {name.split("-")[1]: name for name in names if name.startswith("cleared-")}


def test_a_cleared_task_removes_its_job_and_the_next_try_begins_anew(
    running_airflow: world.Airflow, emulator: world.Emulator
) -> None:
    airflow = running_airflow
    world.wait_for("the DAG", lambda: airflow.rows("SELECT 1 FROM dag WHERE dag_id = 'cleared'"), airflow.check)
    airflow.run("dags", "unpause", "cleared")

    def begun() -> Any:
        airflow.check()
        logs = [airflow.task_logs("cleared", task) for task in ("works", "defers")]
        return all("begun" in log for log in logs) and airflow.tasks("cleared")["defers"]["state"] == "deferred"

    def renewed() -> Any:
        airflow.check()
        now = machines(emulator)
        return set(now) == set(first) and not set(now.values()) & set(first.values())

    try:
        world.wait_for("both jobs", begun)
        first = machines(emulator)
        assert set(first) == {"works", "defers"}
        airflow.run("tasks", "clear", "--yes", "cleared")
        world.wait_for("the machines of the next tries", renewed)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{airflow.report('cleared')}") from None
    request = urllib.request.Request(
        f"{emulator.address}/upload/storage/v1/b/signals/o?uploadType=media&name=cleared", data=b"go", method="POST")
    urllib.request.urlopen(request, timeout=30).close()
    assert airflow.wait_for_end("cleared") == "success", airflow.report("cleared")
    # Other DAGs of these tests may run beside it.
    assert machines(emulator) == {}
