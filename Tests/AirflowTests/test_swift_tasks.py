"""A task of a Swift DAG: what it is told, what becomes of what it says."""

from __future__ import annotations

import contextlib
import datetime
import importlib
import json
import os
import signal
import sys
import threading
import types

import pytest
from swift_dags import FakeInstance, context_of, exported, swift_dag, swift_task

from airflow import __version__ as airflow_version

IS_AIRFLOW_2 = airflow_version.startswith("2.")

UTC = datetime.timezone.utc


@pytest.fixture
def run(plugin, stand_in):
    """Runs a Swift task, played by a script; gives what Airflow gets of it."""

    def run_task(script: str, context: dict | None = None, **said):
        stand_in.plays(exported(swift_dag("nightly", swift_task("train", **said), swift_task("other"))))
        task = plugin.dagrun_dags("/swift")["nightly"].get_task("train")
        stand_in.plays(script)
        stand_in.calls_file.unlink()
        return task.execute(context or context_of(FakeInstance("nightly", "train")))

    return run_task


SUCCESS = "answer({'state': 'success', 'output': None, 'reason': None, 'retry': False, 'skip': None})"


def test_the_program_is_told_the_task_the_folder_and_a_leash(run, stand_in):
    run(SUCCESS)
    argv = stand_in.calls[0]["argv"]
    assert argv[:10] == [
        "tasks", "run", "nightly", "train", "--dags-folder", "/swift", "--context", "-", "-o", "json"
    ]
    assert argv[10] == "--leash"


def test_the_context_is_that_of_airflow(run, stand_in):
    date = datetime.datetime(2026, 1, 31, 3, tzinfo=UTC)
    context = context_of(
        FakeInstance("nightly", "train", run_id="scheduled__2026-01-31", try_number=2, xcoms={"a": [1, "x"], "b": {"k": 1}}),
        conf={"limit": 7, "besides": [1]}, params={"limit": 7, "region": "eu"}, run_after=date,
        logical_date=date, data_interval_start=date, data_interval_end=date,
        prev_data_interval_start_success=date - datetime.timedelta(days=1), prev_data_interval_end_success=None,
    )
    run(SUCCESS, context, inputs=["a", "b", "skipped"])
    assert json.loads(stand_in.calls[0]["stdin"]) == {
        "run_id": "scheduled__2026-01-31",
        "logical_date": "2026-01-31T03:00:00+00:00",
        "data_interval_start": "2026-01-31T03:00:00+00:00",
        "data_interval_end": "2026-01-31T03:00:00+00:00",
        "run_after": "2026-01-31T03:00:00+00:00",
        "previous_success_start": "2026-01-30T03:00:00+00:00",
        "try_number": 2,
        "conf": {"limit": 7, "region": "eu", "besides": [1]},
        "outputs": {"a": [1, "x"], "b": {"k": 1}, "skipped": None},
    }


def test_a_manual_run_of_airflow_3_has_no_date_of_its_own(run, stand_in):
    date = datetime.datetime(2026, 1, 31, 3, tzinfo=UTC)
    run(SUCCESS, context_of(FakeInstance("nightly", "train"), run_after=date, logical_date=None))
    told = json.loads(stand_in.calls[0]["stdin"])
    assert "logical_date" not in told and "data_interval_start" not in told
    assert told["run_after"] == "2026-01-31T03:00:00+00:00"


def test_proxies_of_nothing_are_nothing(run, stand_in):
    import lazy_object_proxy

    nothing = lazy_object_proxy.Proxy(lambda: None)
    run(SUCCESS, context_of(FakeInstance("nightly", "train"), prev_data_interval_start_success=nothing))
    assert "previous_success_start" not in json.loads(stand_in.calls[0]["stdin"])


def test_a_job_has_the_name_and_attempt_of_the_job_operators(run, stand_in, plugin):
    instance = FakeInstance("nightly", "train", try_number=3)
    run(SUCCESS, context_of(instance), is_job=True, operator="ComputeEngineJobOperator")
    told = json.loads(stand_in.calls[0]["stdin"])
    assert told["job"] == {"name": plugin.job_base_name(None, instance), "attempt": 3}


@pytest.mark.parametrize("value", [3, 2.5, "text", True, [1, [2]], {"pi": 3.14, "names": ["a"]}, None, 0, "", False, []])
def test_an_output_keeps_its_type(run, value):
    got = run(f"answer({{'state': 'success', 'output': {value!r}}})")
    assert got == value and type(got) is type(value)


def test_a_result_is_told_to_be_taken(run, stand_in):
    run(SUCCESS + "; taken()")
    assert stand_in.notes == ["told taken"]


def test_what_a_task_excludes_is_skipped(run, plugin, monkeypatch):
    told = []
    monkeypatch.setattr(plugin.deciding_operator(), "skip", lambda self, *args, **said: told.append((args, said)))
    context = context_of(FakeInstance("nightly", "train"))
    context["dag_run"].execution_date = None  # Airflow 2
    answer = {"state": "success", "output": ["a"], "reason": None, "retry": False, "skip": ["other", "gone"]}
    run(f"answer({answer!r})", context, decides=True)
    [(args, said)] = told
    tasks = said["tasks"] if "tasks" in said else args[1]
    assert [task.task_id for task in tasks] == ["other"]
    run(SUCCESS, context, decides=True)
    assert len(told) == 1


def test_tasks_are_skipped_as_this_airflow_does_it_whatever_provider_is_installed(plugin, monkeypatch):
    """Airflow 2 may have the provider "standard", whose class skips as Airflow 3 does."""

    class SkipMixin:
        pass

    provider = types.ModuleType("airflow.providers.standard.utils.skipmixin")
    provider.SkipMixin = SkipMixin
    monkeypatch.setitem(sys.modules, provider.__name__, provider)
    own = "airflow.models.skipmixin" if IS_AIRFLOW_2 else "airflow.sdk.bases.skipmixin"
    with contextlib.suppress(ImportError):
        provider = importlib.import_module(own)
    assert provider.SkipMixin in plugin.deciding_operator.__wrapped__().__mro__


def test_a_skipped_task_is_skipped_in_airflow(run, plugin):
    with pytest.raises(plugin.AirflowSkipException, match="no data today"):
        run("answer({'state': 'skipped', 'output': None, 'reason': 'no data today'})")


def test_a_failed_task_is_tried_again(run, plugin):
    with pytest.raises(plugin.AirflowException, match="train: exit code 3") as error:
        run("answer({'state': 'failed', 'reason': 'exit code 3', 'retry': True}); sys.exit(1)")
    assert not isinstance(error.value, plugin.AirflowFailException)


def test_a_task_that_failed_for_good_is_not(run, plugin):
    with pytest.raises(plugin.AirflowFailException, match="the schema has changed"):
        run("answer({'state': 'failed', 'reason': 'the schema has changed', 'retry': False}); sys.exit(1)")


def test_an_unknown_state_is_said(run, plugin):
    with pytest.raises(plugin.AirflowException, match="deferred"):
        run("answer({'state': 'deferred'})")


def test_a_program_that_says_nothing_is_quoted(run, plugin):
    with pytest.raises(plugin.AirflowException, match="no DAG 'nightly'"):
        run("say(\"error: no DAG 'nightly'\"); sys.exit(3)")


def test_output_that_is_no_json_is_said(run, plugin):
    with pytest.raises(plugin.AirflowException, match="not JSON: hello"):
        run("print('hello')")


def test_a_killed_program_is_named_by_its_signal(run, plugin):
    with pytest.raises(plugin.AirflowException, match="SIGKILL"):
        run("os.kill(os.getpid(), signal.SIGKILL)")


def test_log_lines_come_live(run, plugin, stand_in, caplog):
    caplog.set_level("INFO")
    lines: list = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugin.DagrunTaskOperator, "_log_line", lambda self, line: (lines.append(line), seen(line)))

        def seen(line):
            if line == "first":
                (stand_in.folder / "go").touch()

        run(f"say('first')\nwhile not os.path.exists({str(stand_in.folder / 'go')!r}): time.sleep(0.01)\nsay('last')\n{SUCCESS}")
    assert lines == ["first", "last"]


class Stopped(BaseException):
    """As Airflow's timeout: no Exception."""


def test_a_task_that_times_out_is_stopped(run, stand_in):
    def alarm(*_):
        raise Stopped

    before = signal.signal(signal.SIGALRM, alarm)
    try:
        threading.Thread(target=lambda: (stand_in.wait_for_note("working"), os.kill(os.getpid(), signal.SIGALRM))).start()
        with pytest.raises(Stopped):
            run(WORKS_UNTIL_TOLD)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert stand_in.notes == ["working", "stopped"]


WORKS_UNTIL_TOLD = """
def stop(*_):
    note("stopped")
    sys.exit(130)
signal.signal(signal.SIGTERM, stop)
note("working")
time.sleep(60)
note("never")
"""


def test_a_task_that_is_killed_before_its_program_begins_begins_none(plugin, stand_in):
    stand_in.plays(exported(swift_dag("nightly", swift_task("train"))))
    task = plugin.dagrun_dags("/swift")["nightly"].get_task("train")
    calls = len(stand_in.calls)
    task.on_kill()  # as Airflow 3 does it, which then continues
    with pytest.raises(plugin.AirflowException, match="Airflow ended the task"):
        task.execute(context_of(FakeInstance("nightly", "train")))
    assert len(stand_in.calls) == calls


def test_on_kill_stops_the_program(plugin, stand_in):
    stand_in.plays(exported(swift_dag("nightly", swift_task("train"))))
    task = plugin.dagrun_dags("/swift")["nightly"].get_task("train")
    stand_in.plays(WORKS_UNTIL_TOLD)
    threading.Thread(target=lambda: (stand_in.wait_for_note("working"), task.on_kill())).start()
    with pytest.raises(plugin.AirflowException):
        task.execute(context_of(FakeInstance("nightly", "train")))
    assert stand_in.notes == ["working", "stopped"]


def test_a_leash_is_closed_once_however_many_let_go_of_it(plugin, stand_in):
    stand_in.plays(WORKS_UNTIL_TOLD)
    closed = []
    for _ in range(20):
        command = plugin.Binary().start(["tasks", "run"], on_line=lambda line: None)
        leash = command._leash
        lets_go = threading.Barrier(4)

        def let_go(command=command, lets_go=lets_go):
            lets_go.wait()
            try:
                command.let_go()
            except OSError as error:
                closed.append(error)

        threads = [threading.Thread(target=let_go) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with pytest.raises(OSError):
            os.fstat(leash)
        command.terminate()
        with command:
            os.kill(command.pid, signal.SIGKILL)
            command.wait(10)
    assert closed == []
