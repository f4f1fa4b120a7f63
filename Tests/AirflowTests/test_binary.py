"""The program: found, checked, run on a leash, and what is said when it fails."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from conftest import PROTOCOL


def raised(plugin, action) -> str:
    with pytest.raises(plugin.AirflowException) as error:
        action()
    return str(error.value)


def test_a_missing_program_is_named_with_what_to_do(plugin, monkeypatch, tmp_path):
    monkeypatch.setenv("DAGRUN_BINARY", str(tmp_path / "nowhere"))
    said = raised(plugin, lambda: plugin.Binary().query("dags", "list"))
    assert str(tmp_path / "nowhere") in said
    assert "DAGRUN_BINARY" in said


def test_another_protocol_is_refused_in_words(plugin, stand_in):
    stand_in.plays("answer({})", version="9.0.0", protocol=PROTOCOL + 1)
    said = raised(plugin, lambda: plugin.Binary().query("dags", "list"))
    assert f"dagrun 9.0.0 and speaks protocol {PROTOCOL + 1}" in said
    assert f"dagrun 0.1.0 and speaks protocol {PROTOCOL}" in said
    assert "dagrun airflow-plugin" in said
    assert stand_in.calls == []


def test_a_program_that_knows_no_protocol_is_refused(plugin, stand_in):
    Path(stand_in.path).write_text("#!/bin/sh\necho 'Error: Unknown option -o' >&2; exit 2\n")
    said = raised(plugin, lambda: plugin.Binary().query("dags", "list"))
    assert "does not say which protocol it speaks" in said
    assert "Unknown option -o" in said


def test_a_program_of_another_machine_is_refused(plugin, stand_in):
    Path(stand_in.path).write_bytes(b"\x7fELF nothing that runs here")
    said = raised(plugin, lambda: plugin.Binary().query("dags", "list"))
    assert "cannot be run" in said
    assert "uname" in said


def test_a_copy_that_cannot_be_run_names_its_original(plugin, stand_in, monkeypatch, tmp_path):
    """A program on Cloud Storage has no right to be executed; it is copied and run."""
    original = tmp_path / "bucket" / "dagrun"
    original.parent.mkdir()
    original.write_bytes(b"\x7fELF nothing that runs here")
    monkeypatch.setenv("DAGRUN_BINARY", str(original))
    monkeypatch.setenv("DAGRUN_HOME", str(tmp_path / "home"))
    said = raised(plugin, lambda: plugin.Binary().query("dags", "list"))
    assert f"(a copy of {original}" in said


def test_a_query_gives_its_json_and_its_home_is_airflows(plugin, stand_in, monkeypatch):
    monkeypatch.setenv("AIRFLOW_HOME", "/somewhere/airflow")
    stand_in.plays("answer({'argv': argv, 'stdin': stdin})")
    assert plugin.Binary().query("a", "b", stdin="text") == {"argv": ["a", "b"], "stdin": "text"}
    assert stand_in.calls[0]["home"] == "/somewhere/airflow/dagrun"


def test_output_that_is_no_json_is_quoted(plugin, stand_in):
    stand_in.plays("print('Hello there')")
    said = raised(plugin, lambda: plugin.Binary().query("dags", "export"))
    assert "dagrun dags export" in said
    assert "Hello there" in said


@pytest.mark.parametrize(("status", "final"), [(1, False), (2, True), (5, False), (242, True), (243, False), (247, False), (248, True)])
def test_a_retry_is_left_out_where_it_cannot_help(plugin, stand_in, status, final):
    stand_in.plays(f"say('error: the zone is a moon'); say('  take another'); sys.exit({status})")
    with pytest.raises(plugin.AirflowException) as error:
        plugin.Binary().query("job", "run")
    assert isinstance(error.value, plugin.AirflowFailException) == final
    assert f"status {status}" in str(error.value)
    assert "the zone is a moon\n  take another" in str(error.value)


def test_a_killed_program_is_told_by_its_signal(plugin, stand_in):
    stand_in.plays("os.kill(os.getpid(), signal.SIGKILL)")
    with plugin.Binary().start(["job", "run"], on_line=print) as command:
        said = raised(plugin, command.result)
    assert "killed by SIGKILL" in said


def test_log_lines_arrive_while_it_runs_and_the_result_is_taken_last(plugin, stand_in):
    stand_in.plays(
        """
        for number in range(3): say(f"line {number}")
        answer({"n": len(stdin)})
        if taken(): say("goodbye")
        """
    )
    lines = []
    text = "x" * 1_000_000  # more than a pipe holds
    with plugin.Binary().start(["job", "run"], stdin=text, on_line=lines.append) as command:
        assert command.result() == {"n": 1_000_000}
        assert lines == ["line 0", "line 1", "line 2"]
        assert not command.is_over
        assert stand_in.notes == []
        command.taken()
        assert command.finished().exit_status == 0
    assert lines[-1] == "goodbye"
    assert stand_in.notes == ["told taken"]


def test_a_line_without_an_end_and_bytes_that_are_no_text_are_shown(plugin, stand_in):
    stand_in.plays("sys.stderr.buffer.write(b'\\xff done'); sys.stderr.flush(); answer({})")
    lines = []
    with plugin.Binary().start(["job", "run"], on_line=lines.append, leash=False) as command:
        command.result()
        assert command.wait(10)
    assert lines == ["\ufffd done"]


def test_a_large_result_arrives_whole(plugin, stand_in):
    stand_in.plays("answer({'output': 'é' * 1_000_000})")
    with plugin.Binary().start(["job", "run"], on_line=print) as command:
        assert command.result()["output"] == "é" * 1_000_000


def test_a_pipe_that_something_else_holds_is_not_waited_for(plugin, stand_in):
    stand_in.plays(
        """
        import subprocess
        note(str(subprocess.Popen(["sleep", "100"]).pid))
        sys.exit(3)
        """
    )
    begun = time.monotonic()
    with plugin.Binary().start(["job", "run"], on_line=print, leash=False) as command:
        assert "status 3" in raised(plugin, command.result)
    assert time.monotonic() - begun < 20
    os.kill(int(stand_in.notes[0]), signal.SIGKILL)


def test_it_is_asked_once_to_cancel_and_has_a_session_of_its_own(plugin, stand_in):
    stand_in.plays(
        """
        def on_term(*_): note("term")
        signal.signal(signal.SIGTERM, on_term)
        say("ready")
        while "term" not in open(argv[-1]).read() if os.path.exists(argv[-1]) else True: time.sleep(0.01)
        time.sleep(0.2)
        answer({"ending": "cancelled"})
        sys.exit(130)
        """
    )
    lines = []
    with plugin.Binary().start(["job", "run", str(stand_in.notes_file)], on_line=lines.append, leash=False) as command:
        plugin.run_until([command], lambda: bool(lines))
        assert os.getsid(command.pid) == command.pid
        command.terminate()
        command.terminate()
        assert command.result() == {"ending": "cancelled"}
        assert command.wait(10)
        assert command.finished().exit_status == 130
    assert stand_in.notes == ["term"]


HOLDER = """
import importlib.util, os, sys, time
specification = importlib.util.spec_from_file_location("dagrun_plugin", sys.argv[1])
plugin = importlib.util.module_from_spec(specification)
specification.loader.exec_module(plugin)
command = plugin.Binary().start(["job", "run"], on_line=lambda line: print(line, flush=True))
import subprocess
other = subprocess.Popen(["sleep", "1000"], close_fds=False)
fork = os.fork()
if fork == 0:
    time.sleep(1000)
print("holding", other.pid, fork, flush=True)
command.result()
"""


def test_the_leash_ends_with_the_process_that_holds_it_and_is_in_no_child(plugin, stand_in, tmp_path):
    stand_in.plays("say('ready'); taken()")
    holder = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), plugin.__file__], stdout=subprocess.PIPE, text=True
    )
    children = []
    for line in holder.stdout:
        if line.startswith("holding"):
            children = [int(word) for word in line.split()[1:]]
            break
    try:
        holder.kill()  # -9: nothing in it can run any more
        stand_in.wait_for_note("leash ended")
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        holder.stdout.close()
        holder.wait()


def test_a_program_without_the_right_to_execute_is_copied(plugin, stand_in, monkeypatch, tmp_path):
    monkeypatch.setenv("DAGRUN_HOME", str(tmp_path / "home"))
    os.chmod(stand_in.path, 0o644)
    if os.access(stand_in.path, os.X_OK):
        pytest.skip("SKIPPED, NOT TESTED: this user may execute everything")
    stand_in_path = plugin.Binary().path
    assert stand_in_path.startswith(str(tmp_path / "home/bin/"))
    assert plugin.Binary().query("x") == {}
    assert json.loads(Path(stand_in.calls_file).read_text().splitlines()[0])["argv"] == ["x"]


@pytest.mark.parametrize("planted", ["the program", "a link", "in a folder of all"])
def test_a_copy_that_others_can_write_is_not_run(plugin, stand_in, monkeypatch, tmp_path, planted):
    """What lies in $DAGRUN_HOME/bin under the right name runs as this user."""
    os.chmod(stand_in.path, 0o644)
    monkeypatch.setenv("DAGRUN_HOME", str(tmp_path / "home"))
    about = os.stat(stand_in.path)
    folder = tmp_path / "home/bin"
    folder.mkdir(parents=True)
    copied = folder / f"dagrun-{about.st_size}-{about.st_mtime_ns}"
    other = tmp_path / "other"
    other.write_text(f"#!/bin/sh\ntouch {tmp_path}/left\n")
    os.chmod(other, 0o777 if planted != "in a folder of all" else 0o755)
    if planted == "a link":
        copied.symlink_to(other)
    else:
        shutil.copy(other, copied)
    os.chmod(folder, 0o777 if planted == "in a folder of all" else 0o755)
    with contextlib.suppress(plugin.AirflowException):
        plugin.Binary().query("x")
    assert not (tmp_path / "left").exists()
    assert planted != "in a folder of all" or os.stat(folder).st_mode & 0o022 == 0
