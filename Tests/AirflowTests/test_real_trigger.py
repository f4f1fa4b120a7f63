"""A Swift DAG's run as one task, with the real dagrun."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import traceback
from pathlib import Path

import pytest
from swift_dags import FakeInstance, context_of

SWIFT = Path(__file__).parent / "swift"


@pytest.fixture
def operator(plugin, real_binary, tmp_path, monkeypatch):
    monkeypatch.setenv("DAGRUN_BINARY", real_binary)
    monkeypatch.setenv("DAGRUN_HOME", str(tmp_path / "home"))

    def make(dag_id: str, **said):
        dag = plugin.DAG("outer", schedule=None)
        return plugin.DagrunTriggerOperator(task_id="task", dag_id=dag_id, dags_folder=str(SWIFT), dag=dag, **said)

    return make


def wait_for(condition, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def begin_elsewhere(task) -> int:
    """The task's first try, in a process of its own: its id."""
    child = os.fork()
    if child == 0:
        try:
            task.execute(context_of(FakeInstance()))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return child


def runs(real_binary: str, dag_id: str) -> list[dict]:
    done = subprocess.run(
        [real_binary, "dags", "list-runs", dag_id, "-o", "json", "--dags-folder", str(SWIFT)],
        capture_output=True, text=True, check=True, timeout=60,
    )
    return json.loads(done.stdout)


def test_a_run_that_succeeds_is_told(operator, monkeypatch, plugin):
    said: list[str] = []
    monkeypatch.setattr(plugin.DagrunTriggerOperator, "_log_line", lambda self, line: said.append(line))
    record = operator("adds", conf={"a": 40}).execute(context_of(FakeInstance()))
    assert record["state"] == "success" and record["conf"] == {"a": 40}
    assert any("sum success" in line for line in said), said


def test_failed_tasks_are_named_with_their_reasons(operator, plugin):
    with pytest.raises(plugin.AirflowException) as error:
        operator("fails").execute(context_of(FakeInstance()))
    assert "task extract: failed at try 1: the script ended with exit code 7" in str(error.value)


def test_wrong_parameters_fail_for_good(operator, plugin, tmp_path):
    with pytest.raises(plugin.AirflowFailException, match="waits"):
        operator("waits").execute(context_of(FakeInstance()))
    with pytest.raises(plugin.AirflowException, match="no DAG"):
        operator("nothere").execute(context_of(FakeInstance()))
    assert list((tmp_path / "home" / "airflow").iterdir()) == []


def test_a_worker_that_is_killed_neither_ends_nor_repeats_the_run(operator, plugin, real_binary, tmp_path):
    conf = {"folder": str(tmp_path)}
    child = begin_elsewhere(operator("waits", conf=conf))
    try:
        wait_for(lambda: lines(tmp_path / "begun"), "the task did not begin")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    threading.Timer(1, (tmp_path / "go").touch).start()
    assert operator("waits", conf=conf).execute(context_of(FakeInstance(try_number=2)))["state"] == "success"
    assert lines(tmp_path / "begun") == ["begun", "ended"]
    assert len(runs(real_binary, "waits")) == 1


def test_a_result_that_waited_is_taken_once(operator, plugin, real_binary, tmp_path):
    conf = {"folder": str(tmp_path)}
    child = begin_elsewhere(operator("waits", conf=conf))
    try:
        wait_for(lambda: lines(tmp_path / "begun"), "the task did not begin")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    (tmp_path / "go").touch()
    wait_for(lambda: [run["state"] for run in runs(real_binary, "waits")] == ["success"], "the run continued alone")
    assert operator("waits", conf=conf).execute(context_of(FakeInstance(try_number=2)))["state"] == "success"
    assert len(runs(real_binary, "waits")) == 1
    # Cleared, it runs again.
    assert operator("waits", conf=conf).execute(context_of(FakeInstance(try_number=3)))["state"] == "success"
    assert len(runs(real_binary, "waits")) == 2


def test_a_task_that_is_stopped_cancels_its_run(operator, plugin, real_binary, tmp_path):
    task = operator("waits", conf={"folder": str(tmp_path)})
    stopper = threading.Thread(
        target=lambda: (wait_for(lambda: lines(tmp_path / "begun"), "the task did not begin"), task.on_kill())
    )
    stopper.start()
    with pytest.raises(plugin.AirflowException):
        task.execute(context_of(FakeInstance()))
    stopper.join(60)
    assert [run["state"] for run in runs(real_binary, "waits")] == ["failed"]
    assert lines(tmp_path / "begun") == ["begun"]
