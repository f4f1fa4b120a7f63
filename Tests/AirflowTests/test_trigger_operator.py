"""A Swift DAG's run as one task."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest
from swift_dags import FakeInstance, context_of


@pytest.fixture
def home(stand_in, monkeypatch, tmp_path):
    monkeypatch.setenv("DAGRUN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def operator(plugin, home):
    def make(**said):
        arguments = {"dag_id": "nightly", "dags_folder": "/swift", "dag": plugin.DAG("outer", schedule=None), **said}
        return plugin.DagrunTriggerOperator(task_id="task", **arguments)

    return make


SUCCEEDS = """
run_id = argv[argv.index("--run-id") + 1]
answer({"dag_id": argv[1], "dag_run_id": run_id, "state": "success", "conf": {}, "failed_tasks": []})
"""
FAILS = """
run_id = argv[argv.index("--run-id") + 1]
answer({"dag_id": argv[1], "dag_run_id": run_id, "state": "failed", "failed_tasks": [
    {"task_id": "extract", "state": "failed", "try_number": 3, "reason": "exit code 7"},
    {"task_id": "load", "state": "upstream_failed", "try_number": 0, "reason": None}]})
sys.exit(1)
"""


def option(call: dict, name: str) -> str:
    return call["argv"][call["argv"].index(name) + 1]


def run_ids(stand_in) -> list[str]:
    return [option(call, "--run-id") for call in stand_in.calls]


def test_its_dag_is_airflows_and_the_other_is_swifts(plugin):
    dag = plugin.DAG("outer", schedule=None)
    task = plugin.DagrunTriggerOperator(task_id="train", dag_id="nightly", dag=dag)
    assert task.dag_id == "outer"
    assert task.trigger_dag_id == "nightly"
    assert "conf" in task.template_fields and "trigger_dag_id" in task.template_fields


def test_it_can_be_mapped_over_dags(plugin):
    dag = plugin.DAG("outer", schedule=None)
    mapped = plugin.DagrunTriggerOperator.partial(task_id="train", dag=dag).expand(dag_id=["a", "b"])
    assert mapped.dag_id == "outer"


def test_the_program_is_told_the_dag_the_run_and_the_conf(operator, stand_in, home):
    stand_in.plays(SUCCEEDS)
    result = operator(conf={"top": 3, "names": ["a"]}).execute(context_of(FakeInstance("outer", "task", "manual__2026")))
    call = stand_in.calls[0]
    assert call["argv"][:2] == ["trigger", "nightly"]
    assert json.loads(option(call, "--conf")) == {"top": 3, "names": ["a"]}
    assert option(call, "-o") == "json" and option(call, "--dags-folder") == "/swift"
    assert "--leash" not in call["argv"], "the run continues when the worker dies"
    assert option(call, "--run-id").startswith("airflow__outer__task__manual__2026__try1__")
    assert result["state"] == "success" and result["dag_run_id"] == option(call, "--run-id")
    assert list((home / "airflow").iterdir()) == []


def test_a_conf_may_be_json_text_which_keeps_types(operator, stand_in):
    stand_in.plays(SUCCEEDS)
    operator(conf='{"top": 3}').execute(context_of(FakeInstance()))
    assert json.loads(option(stand_in.calls[0], "--conf")) == {"top": 3}


@pytest.mark.parametrize("conf", ["{", "[1]", {"a": object()}, "3"])
def test_a_conf_that_is_no_object_fails_for_good(operator, stand_in, plugin, conf):
    with pytest.raises(plugin.AirflowFailException, match="conf"):
        operator(conf=conf).execute(context_of(FakeInstance()))
    assert stand_in.calls == []


def test_failed_tasks_are_named_in_the_log_and_the_exception(operator, stand_in, plugin, caplog):
    stand_in.plays(FAILS)
    with pytest.raises(plugin.AirflowException) as error:
        operator().execute(context_of(FakeInstance()))
    said = str(error.value)
    assert "of Swift DAG nightly ended as failed" in said
    assert "task extract: failed at try 3: exit code 7" in said
    assert "task load: upstream_failed" in said
    assert "dagrun tasks logs nightly" in said
    assert not isinstance(error.value, plugin.AirflowFailException), "Airflow may try again"


def test_a_try_after_a_failed_run_begins_a_new_one(operator, stand_in, plugin):
    stand_in.plays(FAILS)
    with pytest.raises(plugin.AirflowException):
        operator().execute(context_of(FakeInstance(try_number=1)))
    stand_in.plays(SUCCEEDS)
    operator().execute(context_of(FakeInstance(try_number=2)))
    first, second = run_ids(stand_in)
    assert first != second


def test_a_cleared_task_begins_a_new_run(operator, stand_in):
    stand_in.plays(SUCCEEDS)
    for number in (1, 2, 1):  # `airflow dags test` begins again with 1
        operator().execute(context_of(FakeInstance(try_number=number)))
    assert len(set(run_ids(stand_in))) == 3


def test_a_try_after_a_workers_death_follows_the_run(operator, stand_in, plugin, caplog):
    # The task's process is killed while the program waits for the run.
    stand_in.plays('note("waiting"); time.sleep(60)')
    child = os.fork()
    if child == 0:
        try:
            operator(conf={"day": 1}).execute(context_of(FakeInstance()))
        finally:
            os._exit(0)
    stand_in.wait_for_note("waiting")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.kill(stand_in.calls[0]["pid"], 0)  # it continues
    os.kill(stand_in.calls[0]["pid"], signal.SIGKILL)
    stand_in.plays(SUCCEEDS)
    # What is templated may say something else by now; the run is the one that was begun.
    operator(conf={"day": 2}).execute(context_of(FakeInstance(try_number=2)))
    first, second = run_ids(stand_in)
    assert first == second
    assert option(stand_in.calls[1], "--conf") == '{"day": 1}'


def test_other_tasks_do_not_follow_it(operator, stand_in, plugin):
    stand_in.plays("os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(plugin.AirflowException, match="SIGKILL"):
        operator().execute(context_of(FakeInstance()))
    stand_in.plays(SUCCEEDS)
    mapped = FakeInstance()
    mapped.map_index = 3
    for instance in (FakeInstance(dag_id="more"), FakeInstance(task_id="more"), FakeInstance(run_id="more"), mapped):
        operator().execute(context_of(instance))
    operator().execute(context_of(FakeInstance(try_number=2)))
    ids = run_ids(stand_in)
    assert ids[-1] == ids[0]
    assert len(set(ids)) == 5


def test_a_task_that_means_another_dag_by_now_does_not_follow(operator, stand_in, plugin):
    stand_in.plays("os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(plugin.AirflowException):
        operator().execute(context_of(FakeInstance()))
    stand_in.plays(SUCCEEDS)
    operator(dag_id="weekly").execute(context_of(FakeInstance(try_number=2)))
    first, second = run_ids(stand_in)
    assert first != second


@pytest.mark.parametrize("status", [2, 3, 4])
def test_a_refused_trigger_is_forgotten(operator, stand_in, plugin, home, status):
    stand_in.plays(f"say('error: parameter top cannot be 0'); sys.exit({status})")
    with pytest.raises(plugin.AirflowException, match="parameter top cannot be 0"):
        operator(conf={"top": 0}).execute(context_of(FakeInstance()))
    assert list((home / "airflow").iterdir()) == []


def test_a_busy_machine_is_no_reason_to_forget(operator, stand_in, plugin, home):
    stand_in.plays("say('error: the disk is full'); sys.exit(5)")
    with pytest.raises(plugin.AirflowException, match="the disk is full"):
        operator().execute(context_of(FakeInstance()))
    assert len(list((home / "airflow").iterdir())) == 1


def test_a_stopped_task_cancels_its_run(operator, stand_in, plugin, home):
    stand_in.plays(
        """
        def stop(*_):
            note("cancelled")
            sys.exit(130)
        signal.signal(signal.SIGTERM, stop)
        note("waiting")
        time.sleep(60)
        """
    )
    task = operator()
    threading.Thread(target=lambda: (stand_in.wait_for_note("waiting"), task.on_kill())).start()
    with pytest.raises(plugin.AirflowException):
        task.execute(context_of(FakeInstance()))
    assert stand_in.notes == ["waiting", "cancelled"]
    assert list((home / "airflow").iterdir()) == []


def test_a_note_that_cannot_be_read_is_said(operator, stand_in, plugin, home):
    stand_in.plays("os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(plugin.AirflowException):
        operator().execute(context_of(FakeInstance()))
    (note,) = (home / "airflow").iterdir()
    note.write_text("{")
    with pytest.raises(plugin.AirflowException, match="cannot be read"):
        operator().execute(context_of(FakeInstance()))


def test_long_ids_make_a_run_id_that_dagrun_takes(operator, stand_in):
    stand_in.plays(SUCCEEDS)
    operator().execute(context_of(FakeInstance("d" * 250, "t" * 250, "m/x y" * 40)))
    (run_id,) = run_ids(stand_in)
    assert len(run_id.encode()) <= 240 and "/" not in run_id


def test_the_folder_is_found_beside_the_python_file(plugin, stand_in, home, monkeypatch):
    monkeypatch.delenv("DAGRUN_DAGS_FOLDER", raising=False)
    stand_in.plays(SUCCEEDS)
    dag = plugin.DAG("outer", schedule=None)
    dag.fileloc = "/airflow/dags/outer.py"
    plugin.DagrunTriggerOperator(task_id="task", dag_id="nightly", dag=dag).execute(context_of(FakeInstance()))
    assert option(stand_in.calls[0], "--dags-folder") == "/airflow/dags"


def test_a_home_that_cannot_be_written_is_said(operator, stand_in, plugin, home, monkeypatch):
    Path(home).write_text("a file")
    with pytest.raises(plugin.AirflowException, match="DAGRUN_HOME"):
        operator().execute(context_of(FakeInstance()))
    assert stand_in.calls == []
