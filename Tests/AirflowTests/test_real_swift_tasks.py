"""A task of a Swift DAG on a worker, with the real dagrun: its process ends with whoever ran it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path

import pytest
from swift_dags import FakeInstance, context_of
from test_real_trigger import lines, wait_for

SWIFT = Path(__file__).parent / "swift"


@pytest.fixture
def task(plugin, real_binary, tmp_path, monkeypatch):
    """Notes in the file `begun` that it has begun, and waits for a file `go`."""
    monkeypatch.setenv("DAGRUN_BINARY", real_binary)
    monkeypatch.setenv("DAGRUN_HOME", str(tmp_path / "home"))
    return plugin.dagrun_dags(SWIFT)["waits"].get_task("wait")


@pytest.fixture
def context(tmp_path):
    return context_of(FakeInstance("waits", "wait"), params={"folder": str(tmp_path)})


def is_at_work(folder: Path) -> bool:
    """Whether the script that waits in the folder runs."""
    script = f"{folder}'/go".encode()  # quoted for the shell
    for process in Path("/proc").glob("[0-9]*"):
        # A script that values were put into is handed to its shell in the environment, which other users cannot read.
        for place in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                if script in (process / place).read_bytes():
                    return True
    return False


def test_a_killed_worker_takes_its_shell_task_along(task, context, tmp_path):
    child = os.fork()
    if child == 0:
        try:
            task.execute(context)
        finally:
            os._exit(1)
    try:
        wait_for(lambda: lines(tmp_path / "begun"), "the task did not begin")
        assert is_at_work(tmp_path), "the test does not see the script"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    wait_for(lambda: not is_at_work(tmp_path), "the script continues")
    (tmp_path / "go").touch()
    task.execute(context)
    assert lines(tmp_path / "begun") == ["begun", "begun", "ended"]


def test_on_kill_ends_the_script(task, context, tmp_path, plugin):
    stopper = threading.Thread(
        target=lambda: (wait_for(lambda: lines(tmp_path / "begun"), "the task did not begin"), task.on_kill())
    )
    stopper.start()
    with pytest.raises(plugin.AirflowException):
        task.execute(context)
    stopper.join(60)
    assert not is_at_work(tmp_path)
    assert lines(tmp_path / "begun") == ["begun"]
