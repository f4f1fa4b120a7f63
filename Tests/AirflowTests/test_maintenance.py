"""The DAG that keeps projects clean, against a stand-in for the program."""

from __future__ import annotations

import json

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
