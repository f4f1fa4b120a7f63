"""The DAG that keeps projects clean, against a stand-in for the program."""

from __future__ import annotations

import datetime
import json
import os
import signal

import pytest

RESOURCES = [
    {"job": "a-1", "kind": "group", "name": "a-1-1", "place": "z", "fate": "removed", "reason": "7 days old"},
    {"job": "b-1", "kind": "topic", "name": "b-1", "place": "", "fate": "kept", "reason": "it is young"},
]


def plays(stand_in, resources, status=0):
    stand_in.plays(f"answer(json.loads({json.dumps(resources)!r})); sys.exit({status})")


def test_each_project_has_a_task_in_a_dag_of_the_file_that_asks(plugin, stand_in):
    dag = plugin.dagrun_maintenance(projects=["one", "two"], older_than="30d", tags=["cleaning"])
    assert dag.dag_id == "dagrun_maintenance"
    assert dag.fileloc == __file__
    assert sorted(dag.task_ids) == ["collect-one", "collect-two"]
    assert "cleaning" in dag.tags
    assert dag.get_task("collect-one").execution_timeout == datetime.timedelta(hours=1)
    plays(stand_in, RESOURCES)
    removed = dag.get_task("collect-two").execute({})
    assert removed == RESOURCES[:1]
    assert stand_in.calls[0]["argv"] == [
        *["job", "gc", "-o", "json", "--project", "two", "--all-homes", "--older-than", "30d"]
    ]


def test_without_projects_the_environments_own_is_cleaned_and_other_homes_can_be_left_out(plugin, stand_in):
    dag = plugin.dagrun_maintenance("cleaner", older_than=None, schedule=None)
    plays(stand_in, [])
    assert dag.get_task("collect").execute({}) == []
    assert stand_in.calls[0]["argv"] == ["job", "gc", "-o", "json"]


def test_what_could_not_be_removed_fails_the_task(plugin, stand_in):
    plays(stand_in, [{**RESOURCES[0], "fate": "not removed"}, RESOURCES[1]], status=5)
    operator = plugin.DagrunMaintenanceOperator(task_id="collect", project="p")
    with pytest.raises(plugin.AirflowException, match="Not removed: a-1-1"):
        operator.execute({})


def test_a_collector_that_fails_says_why(plugin, stand_in):
    stand_in.plays("say('error: no project'); sys.exit(5)")
    with pytest.raises(plugin.AirflowException, match="no project"):
        plugin.DagrunMaintenanceOperator(task_id="collect", project="p").execute({})


def test_a_timeout_of_its_own_counts(plugin):
    dag = plugin.dagrun_maintenance(default_args={"execution_timeout": datetime.timedelta(hours=9)})
    assert dag.get_task("collect").execution_timeout == datetime.timedelta(hours=9)


def log_of(operator, act=lambda line: None):
    said = []

    def info(text, *values):
        said.append(text % values)
        act(said[-1])

    operator.log.info = info
    return said


def test_what_it_says_is_logged_while_it_works(plugin, stand_in):
    stand_in.plays(f"say('could not look into zone z'); answer(json.loads({json.dumps(RESOURCES)!r}))")
    operator = plugin.DagrunMaintenanceOperator(task_id="collect", project="p")
    said = log_of(operator)
    operator.execute({})
    assert said == [
        "could not look into zone z",
        "group a-1-1: removed (7 days old)",
        "topic b-1: kept (it is young)",
    ]


@pytest.mark.parametrize("raises", [True, False], ids=["as Airflow 2 does it", "as Airflow 3 does it"])
def test_a_task_that_is_ended_asks_it_to_stop(plugin, stand_in, raises):
    stand_in.plays(
        """
        signal.signal(signal.SIGTERM, lambda *_: (note("asked to stop"), answer([]), sys.exit(0)))
        say("began")
        signal.pause()
        """
    )
    operator = plugin.DagrunMaintenanceOperator(task_id="collect", project="p")

    class Terminated(Exception):
        pass

    def on_term(*_):
        operator.on_kill()
        if raises:
            raise Terminated

    log_of(operator, lambda line: os.kill(os.getpid(), signal.SIGTERM) if line == "began" else None)
    before = signal.signal(signal.SIGTERM, on_term)
    try:
        with pytest.raises(Terminated if raises else plugin.AirflowException, match=None if raises else "ended the task"):
            operator.execute({})
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stand_in.notes == ["asked to stop"]
