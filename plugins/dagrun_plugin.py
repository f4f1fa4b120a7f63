# Written by 'dagrun airflow-plugin' of dagrun 0.1.0 (protocol 2). Do not edit: write it again.
"""dagrun in Airflow: jobs on Compute Engine, and DAGs written in Swift, as tasks of Airflow.

    from dagrun_plugin import ComputeEngineJobOperator, JobConfigBuilder

    train = ComputeEngineJobOperator(
        task_id="train",
        job_config=JobConfigBuilder().project_id("my-project").image("python:3.13").preemptible(True).build(),
        cmd="python train.py --day {{ ds }}",
        gcs_target={"/artifacts": "my-bucket/models/{{ ds }}"},
    )

This file was written by `dagrun airflow-plugin`; do not edit it, write it anew. It needs Airflow (2.9 and later, 3.x)
on Python 3.9 or later, and the program `dagrun`, whose version and protocol are below: it is looked for at
$DAGRUN_BINARY, at BINARY (a path, or a name in PATH) and beside this file. dagrun keeps its journal in $DAGRUN_HOME, or
in $AIRFLOW_HOME/dagrun.

Contents: the program - who it is to Google - what a job is - operators of jobs - their trigger (deferrable) - runs of
Swift DAGs as one task - Swift DAGs as DAGs of Airflow - what keeps projects clean - the plugin.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import contextvars
import copy
import datetime
import functools
import hashlib
import importlib
import inspect
import json
import logging
import math
import os
import re
import selectors
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse
import uuid
import zlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, NamedTuple, Union, cast

from airflow import __version__ as AIRFLOW_VERSION
from airflow.plugins_manager import AirflowPlugin
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

if TYPE_CHECKING:
    from airflow.sdk import (
        DAG,
        BaseOperator,
        BaseOperatorLink,
        Context,
        CronDataIntervalTimetable,
        CronTriggerTimetable,
        Param,
        get_parsing_context,
    )
    from airflow.sdk.configuration import conf
    from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
else:
    try:  # Airflow 3
        from airflow.sdk import DAG, BaseOperator, BaseOperatorLink, Param, get_parsing_context
    except ImportError:
        from airflow.models.baseoperator import BaseOperator
        from airflow.models.baseoperatorlink import BaseOperatorLink
        from airflow.models.dag import DAG
        from airflow.models.param import Param
        from airflow.utils.dag_parsing_context import get_parsing_context
    try:  # Airflow 3, its later versions
        from airflow.sdk import CronDataIntervalTimetable, CronTriggerTimetable
    except ImportError:
        from airflow.timetables.interval import CronDataIntervalTimetable
        from airflow.timetables.trigger import CronTriggerTimetable
    try:  # Airflow 3, its later versions
        from airflow.sdk.configuration import conf
        from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
    except ImportError:
        from airflow.configuration import conf
        from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException


def first_of(name: str, *modules: str) -> Any:
    """What Airflow keeps elsewhere in each version; looked for where it is used, for it may take long to load."""
    for module in modules:
        with contextlib.suppress(ImportError, AttributeError):
            return getattr(importlib.import_module(module), name)
    raise ImportError(f"Airflow {AIRFLOW_VERSION} has no {name} in {' or '.join(modules)}")


# Of the program that wrote this file.
VERSION = "0.1.0"
# What is said between this file and the program; a program that says another number is refused.
PROTOCOL = 2
# A path, or a name in PATH; $DAGRUN_BINARY counts more.
BINARY = "dagrun"


# --- The program -----------------------------------------------------------------------------------------------------
#
# Every operator below runs `dagrun`, gives it a JSON text on standard input, shows its standard error as the task's log
# and reads one JSON object from its standard output. docs/exit-codes.md of dagrun tells its exit statuses.

# Exit statuses of dagrun with which it would end again, however often it is tried.
WRONG_USE, JOB_REFUSED, COMMAND_NOT_STARTED, JOB_CANCELLED, INTERRUPTED = 2, 242, 245, 248, 130
FINAL_STATUSES = frozenset({WRONG_USE, JOB_REFUSED, COMMAND_NOT_STARTED, JOB_CANCELLED})

# Lines of standard error that an exception quotes.
QUOTED_LINES = 20
# The program with its libraries, in one file.
ARCHIVE = ".tar.gz"
# How often a waiting task looks whether its supervisor lives.
WATCH_SECONDS = 1.0


def failure(message: str, hint: str = "", *, final: bool = False) -> AirflowException:
    """What a task raises: what failed on what, then what to do. `final`: no retry of the task can help."""
    text = f"{message}\n{hint}" if hint else message
    return AirflowFailException(text) if final else AirflowException(text)


class Finished(NamedTuple):
    """How a command of dagrun ended."""

    command: str
    exit_status: int  # below zero: the signal that killed it
    output: bytes
    last_lines: list[str]

    def json(self) -> Any:
        """The one JSON value on its standard output; raises where there is none."""
        try:
            return json.loads(self.output)
        except ValueError:
            pass
        if self.exit_status != 0 and not self.output.strip():
            raise self.failure()
        begin = self.output[:200].decode(errors="replace").strip() or "nothing at all"
        raise failure(
            f"`{self.command}` ended with status {self.exit_status}, and what it wrote is not JSON: {begin}",
            "Is the program that DAGRUN_BINARY (or PATH) names really dagrun, and not a script around it that prints?",
        )

    def failure(self, what: str = "") -> AirflowException:
        """The exception that says how it failed. dagrun itself has said why, and what to do, on standard error."""
        what = what or f"`{self.command}`"
        if self.exit_status < 0:
            name = signal_name(-self.exit_status)
            hint = "Out of memory, perhaps." if name == "SIGKILL" else "The task's log has what it said last."
            return failure(f"{what} was killed by {name}.", hint)
        said = "\n".join(self.last_lines) or "It said nothing."
        return failure(
            f"{what} failed with status {self.exit_status}: {said}", final=self.exit_status in FINAL_STATUSES
        )


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Binary:
    """The program dagrun: found, checked once for each process, and run.

    binary = Binary()
    binary.query("dags", "export", "-o", "json")                           # a short command: its JSON
    with binary.start(["job", "run", …], stdin=spec, on_line=self.log.info, leash=True) as command:
        result = command.result()                                          # a long one: log lines now, JSON at the end
        command.taken()
    """

    _checked: ClassVar[set[tuple[str, int, int]]] = set()
    # Of copies: what they were made of.
    _originals: ClassVar[dict[str, str]] = {}

    def __init__(self, path: str | None = None) -> None:
        self._given = path

    @property
    def path(self) -> str:
        """Where the program is; raises where there is none that can be run."""
        beside = Path(__file__).resolve().parent
        given = self._given or os.environ.get("DAGRUN_BINARY")
        # An archive without a folder is one that `dagrun airflow-plugin --bundle-binary` has put beside this file.
        own = str(beside / BINARY) if BINARY.endswith(ARCHIVE) else BINARY
        wanted = [given] if given else [own, str(beside / "dagrun")]
        for name in wanted:
            found = None if name.endswith(ARCHIVE) else shutil.which(name)
            if found:
                return os.path.abspath(found)
            if os.sep in name and os.path.isfile(name):
                return self._executable_copy(name)
        raise failure(
            f"The program dagrun was not found on this machine (looked for {' and '.join(wanted)}).",
            "Install it on every worker (and triggerer), and set DAGRUN_BINARY to its path if it is not in PATH; "
            "or write the plugin with it: dagrun airflow-plugin --bundle-binary.",
        )

    def check(self) -> str:
        """The program's path, once it is known to speak this file's protocol."""
        path = self.path
        about = os.stat(path)
        key = (path, about.st_mtime_ns, about.st_size)
        if key in Binary._checked:
            return path
        finished = self._run(path, ["version", "-o", "json"], None, 60)
        try:
            told = json.loads(finished.output)
            version, protocol = str(told["version"]), told["protocol"]
        except (ValueError, KeyError, TypeError):
            said = (finished.output.decode(errors="replace").strip() or "\n".join(finished.last_lines))[:200]
            raise failure(
                f"{path} does not say which protocol it speaks; it said: {said or 'nothing'}. "
                f"This plugin is of dagrun {VERSION} and speaks protocol {PROTOCOL}.",
                f"Install dagrun {VERSION} there, or write the plugin anew with that program: dagrun airflow-plugin.",
            ) from None
        if protocol != PROTOCOL:
            raise failure(
                f"{path} is dagrun {version} and speaks protocol {protocol}; "
                f"this plugin is of dagrun {VERSION} and speaks protocol {PROTOCOL}.",
                "Write the plugin anew with that program (dagrun airflow-plugin), "
                f"or install dagrun {VERSION} on every worker.",
            )
        Binary._checked.add(key)
        return path

    def query(
        self,
        *arguments: str,
        stdin: str | None = None,
        timeout_seconds: float = 120,
        accept: Collection[int] = (0,),
        credentials: Credentials | None = None,
    ) -> Any:
        """The JSON of a short command. An exit status that is not in `accept` raises."""
        finished = self._run(self.check(), arguments, stdin, timeout_seconds, credentials)
        if finished.exit_status not in accept:
            raise finished.failure()
        return finished.json()

    def start(
        self,
        arguments: Sequence[str],
        *,
        stdin: str | None = None,
        on_line: Callable[[str], None],
        leash: bool = True,
        credentials: Credentials | None = None,
    ) -> Command:
        """Begins a long command. With `leash`, ` --leash FD` is added to its arguments."""
        return Command(self.check(), arguments, stdin, on_line, leash, credentials)

    @staticmethod
    def environment() -> dict[str, str]:
        """What the program is run with: DAGRUN_HOME is $AIRFLOW_HOME/dagrun unless it is set."""
        environment = dict(os.environ)
        home = environment.get("AIRFLOW_HOME") or os.path.expanduser("~/airflow")
        environment.setdefault("DAGRUN_HOME", os.path.join(home, "dagrun"))
        return environment

    @staticmethod
    def describe(arguments: Sequence[str]) -> str:
        return " ".join(["dagrun", *arguments])

    def _run(
        self,
        path: str,
        arguments: Sequence[str],
        stdin: str | None,
        timeout_seconds: float,
        credentials: Credentials | None = None,
    ) -> Finished:
        try:
            with (credentials or Credentials()).handed_on() as (environment, descriptors):
                done = subprocess.run(
                    [path, *arguments],
                    input=(stdin or "").encode(),
                    capture_output=True,
                    timeout=timeout_seconds,
                    env=environment,
                    pass_fds=descriptors,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            raise failure(
                f"`{self.describe(arguments)}` did not answer within {timeout_seconds:g} s.",
                "The machine may be overloaded, or its disk slow.",
            ) from None
        except OSError as error:
            raise cannot_run(path, error) from error
        lines = done.stderr.decode(errors="replace").splitlines()
        return Finished(self.describe(arguments), done.returncode, done.stdout, lines[-QUOTED_LINES:])

    def _executable_copy(self, name: str) -> str:
        """A copy of it that may be run: Cloud Storage, where Composer keeps files, knows no such right. Of an
        archive, as `dagrun airflow-plugin deploy` makes it: what is in it, the program beside its libraries.
        """
        about = os.stat(name)
        folder = Path(self.environment()["DAGRUN_HOME"]) / "bin"
        copied = folder / f"dagrun-{about.st_size}-{about.st_mtime_ns}"
        program = copied / "dagrun" if name.endswith(ARCHIVE) else copied
        self._make_private(folder, copied)
        if not program.exists():
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if name.endswith(ARCHIVE):
                    self._unpack(name, copied)
                else:
                    self._copy(name, copied)
            except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
                raise failure(
                    f"{name} may not be executed as it is, and could not be copied to {copied}: {error}",
                    f"It may not have arrived as a whole yet; {folder} has to be writable (set DAGRUN_HOME), "
                    "or set DAGRUN_BINARY to a program that can be run.",
                ) from error
        if not program.exists():
            raise failure(
                f"{name} has no program dagrun in it.",
                "Make it anew: dagrun airflow-plugin --bundle-binary, or for Composer dagrun airflow-plugin deploy.",
            )
        for path in (folder, copied, program):
            if not is_safe(path):
                raise failure(
                    f"{path} may have been written by somebody else, so that it is not run.",
                    f"Remove {folder}, and let it be made again in a folder that only this user may write to.",
                )
        Binary._originals[str(program)] = name
        return str(program)

    @staticmethod
    def _make_private(folder: Path, copied: Path) -> None:
        """A folder of this user's that others could write to is closed, and what lies in it is not believed."""
        if is_safe(folder) or not folder.is_dir() or folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            return
        os.chmod(folder, stat.S_IMODE(folder.stat().st_mode) & ~(stat.S_IWGRP | stat.S_IWOTH))
        if copied.is_dir() and not copied.is_symlink():
            shutil.rmtree(copied)
        elif os.path.lexists(copied):
            os.unlink(copied)

    @staticmethod
    def _copy(name: str, copied: Path) -> None:
        with tempfile.NamedTemporaryFile(dir=copied.parent, delete=False) as file:
            with open(name, "rb") as original:
                shutil.copyfileobj(original, file)
            os.fchmod(file.fileno(), stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
        os.replace(file.name, copied)

    @staticmethod
    def _unpack(name: str, copied: Path) -> None:
        # Another process may do the same: whose folder is whole first, is taken.
        made = tempfile.mkdtemp(dir=copied.parent)
        try:
            with tarfile.open(name) as archive:
                # Python before 3.12 knows no filters, unless it has got them with a correction.
                safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
                archive.extractall(made, **safely)
            try:
                os.rename(made, copied)
            except OSError:
                if not copied.exists():
                    raise
        finally:
            shutil.rmtree(made, ignore_errors=True)


def is_safe(path: Path) -> bool:
    """Whether only this user and root can have written it."""
    try:
        about = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    others = stat.S_IWGRP | stat.S_IWOTH
    return about.st_uid in (0, os.geteuid()) and not about.st_mode & others and not stat.S_ISLNK(about.st_mode)


def cannot_run(path: str, error: OSError) -> AirflowException:
    original = Binary._originals.get(path)
    copy_of = f" (a copy of {original}, which is not executable)" if original else ""
    return failure(
        f"{path}{copy_of} cannot be run: {error.strerror or error}.",
        "It must be the dagrun of this machine's system and processor (uname -sm), and executable (chmod +x).",
    )


class Command:
    """A command of dagrun that takes its time: log lines as they come, one JSON object when there is one.

    It has a session of its own: the signals with which Airflow ends a task's processes do not reach it, so that it can
    remove what the job has, even when Airflow kills the task meanwhile. What ends with this process, however that ends,
    is the leash: a pipe whose other end the command holds. At its end of file the command leaves; the job continues.
    """

    def __init__(
        self,
        path: str,
        arguments: Sequence[str],
        stdin: str | None,
        on_line: Callable[[str], None],
        leash: bool,
        credentials: Credentials | None = None,
    ) -> None:
        self.description = Binary.describe(arguments)
        self._on_line = on_line
        self._output = bytearray()
        self._unread = bytearray()
        self._value: Any = None
        self._has_value = False
        self._last_lines: deque[str] = deque(maxlen=QUOTED_LINES)
        self._terminated = False
        self._was_let_go = False
        self._leash: int | None = None
        reading: int | None = None
        if leash:
            # Both ends are closed in every other program that is begun; of forks, see _let_go_of_leashes.
            reading, self._leash = os.pipe()
            _leashes.add(self._leash)
            arguments = [*arguments, "--leash", str(reading)]
        try:
            handed_on = (credentials or Credentials()).handed_on()
            with tempfile.TemporaryFile() as file, handed_on as (environment, descriptors):
                # A file, not a pipe: writing it cannot wait for the command. It has no name, so nobody can read it.
                file.write((stdin or "").encode())
                file.seek(0)
                self._process = subprocess.Popen(
                    [path, *arguments],
                    stdin=file,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=environment,
                    pass_fds=descriptors if reading is None else (*descriptors, reading),
                    start_new_session=True,
                )
        except OSError as error:
            self.let_go()
            raise cannot_run(path, error) from error
        except BaseException:
            # A handler of signals has raised. What may have begun all the same is nobody's, and leaves.
            self.let_go()
            raise
        finally:
            if reading is not None:
                os.close(reading)
        assert self._process.stdout and self._process.stderr
        self._open: dict[int, IO[bytes]] = {}
        for pipe in (self._process.stdout, self._process.stderr):
            os.set_blocking(pipe.fileno(), False)
            self._open[pipe.fileno()] = pipe

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()
        self._open.clear()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_result(self) -> bool:
        """Whether its JSON object is there. With a leash the command waits then for `taken`."""
        return self._has_value

    @property
    def value(self) -> Any:
        """Its JSON value, as soon as that is there."""
        return self._value

    @property
    def last_lines(self) -> list[str]:
        """The newest lines of its standard error."""
        return list(self._last_lines)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and all that it wrote has been read."""
        return not self._open and self._process.poll() is not None

    def result(self) -> dict[str, Any]:
        """Waits for its JSON object. Raises where it ends without one."""
        run_until([self], lambda: self._has_value or self.is_over)
        value = self._value if self._has_value else self.finished().json()
        if not isinstance(value, dict):
            raise failure(f"`{self.description}` wrote JSON, but no object: {str(value)[:200]}")
        return value

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it ended, within `seconds`."""
        end = None if seconds is None else time.monotonic() + seconds
        return run_until([self], lambda: self.is_over, end)

    def finished(self) -> Finished:
        """How it ended; only of one that `is_over`."""
        return Finished(self.description, self._process.wait(), bytes(self._output), list(self._last_lines))

    def leave(self) -> None:
        """Lets go, and waits for the end. A result that was not taken is reported again, to whoever asks next."""
        self.let_go()
        self.wait(30)

    def taken(self) -> None:
        """Tells that the result has been taken, which is noted: it will not be reported again. Waits for the end."""
        if self._leash is not None:
            with contextlib.suppress(OSError):
                os.write(self._leash, b"taken\n")
        if not self.wait(30):
            self._on_line(f"`{self.description}` (process {self.pid}) has not ended yet; it is left alone.")
        self.let_go()

    def terminate(self) -> None:
        """Asks it, once, to cancel what it does and to remove everything. At a second signal it would flee. One that
        was released is left alone: somebody else may have its job by now."""
        if self._process.poll() is None and not self._terminated and not self._was_let_go:
            self._terminated = True
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    def let_go(self) -> None:
        """Closes the leash: the command leaves; what it began continues. One that is cancelling finishes that."""
        leash, self._leash = self._leash, None
        if leash is None:
            return
        self._was_let_go = True
        # Airflow's on_kill may come here on another thread, or from a handler of signals in the midst of this: whoever
        # takes the leash out closes it, once. Its number may be another file's a moment later.
        with contextlib.suppress(KeyError):
            _leashes.remove(leash)
            os.close(leash)

    # What run_until needs.

    def _pipes(self) -> Iterable[int]:
        return list(self._open)

    def _read(self, pipe: int) -> None:
        try:
            data = os.read(pipe, 65536)
        except BlockingIOError:
            return
        if not data:
            self._close(pipe)
            return
        assert self._process.stdout
        if pipe == self._process.stdout.fileno():
            self._output += data
            if not self._has_value and self._output.rstrip().endswith((b"}", b"]")):
                with contextlib.suppress(ValueError):
                    self._value = json.loads(self._output)
                    self._has_value = True
        else:
            self._unread += data
            *lines, rest = self._unread.split(b"\n")
            self._unread = rest
            for line in lines:
                self._line(bytes(line))

    def _line(self, data: bytes) -> None:
        line = data.decode(errors="replace").rstrip("\r")
        self._last_lines.append(line)
        self._on_line(line)

    def _close(self, pipe: int) -> None:
        self._open.pop(pipe, None)
        if not self._open and self._unread:
            rest, self._unread = self._unread, bytearray()
            self._line(bytes(rest))

    def _close_what_others_hold(self) -> None:
        for pipe in list(self._open):
            self._close(pipe)


def run_until(commands: Sequence[Command], done: Callable[[], bool], end: float | None = None) -> bool:
    """Reads what the commands write until `done`, or until the time `end` (monotonic); whether it is done."""
    supervisor = Supervisor()
    quiet_since: dict[int, float] = {}
    while not done():
        now = time.monotonic()
        if end is not None and now >= end:
            return False
        with selectors.DefaultSelector() as selector:
            for command in commands:
                for pipe in command._pipes():
                    selector.register(pipe, selectors.EVENT_READ, command)
            pause = WATCH_SECONDS if end is None else min(WATCH_SECONDS, end - now)
            if selector.get_map():
                ready = selector.select(pause)
            else:
                ready = []
                time.sleep(min(pause, 0.02))  # its pipes are closed: it is about to end
        for key, _ in ready:
            key.data._read(key.fd)
        for command in commands:
            # A pipe may be held open by something that the command left behind: it is not waited for.
            if ready or not command._pipes() or command._process.poll() is None:
                continue
            if time.monotonic() - quiet_since.setdefault(command.pid, time.monotonic()) >= WATCH_SECONDS:
                command._close_what_others_hold()
        if not ready and supervisor.is_gone():
            for command in commands:
                command.let_go()
            raise SupervisorGone(
                "The process of Airflow that watched over this task is gone. "
                "What the task began continues; the task's next try takes it over."
            )
    return True


class SupervisorGone(AirflowException):
    """Nobody hears this task's process any more; see Supervisor."""


# Leashes that this process holds. A process that is forked from it must not hold them too: they would outlive it.
_leashes: set[int] = set()


def _let_go_of_leashes() -> None:
    for leash in list(_leashes):
        with contextlib.suppress(OSError):
            os.close(leash)
    _leashes.clear()


os.register_at_fork(after_in_child=_let_go_of_leashes)


class Supervisor:
    """The process that runs a task's process and reports on it. Killed, it leaves the task's process behind, unheard:
    Airflow then begins the task anew elsewhere, so this process must give the task up."""

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._socket = self._airflow_3_socket()
        self._is_watched = self._socket is None and self._is_supervised_by_airflow_2()

    def is_gone(self) -> bool:
        if self._socket is not None:
            try:
                return self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
            except BlockingIOError:
                return False
            except OSError:
                return True
        return self._is_watched and os.getppid() != self._parent

    @staticmethod
    def _airflow_3_socket() -> socket.socket | None:
        runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
        channel = getattr(getattr(runner, "SUPERVISOR_COMMS", None), "socket", None)
        return channel if isinstance(channel, socket.socket) else None

    @staticmethod
    def _is_supervised_by_airflow_2() -> bool:
        try:
            from setproctitle import getproctitle  # Airflow 2 has it, and names its processes by it

            return getproctitle().startswith("airflow task runner") or "--raw" in sys.argv
        except ImportError:
            return "--raw" in sys.argv


# --- Who it is to Google ---------------------------------------------------------------------------------------------
#
# As every program of Google's, unless a task names a connection of Airflow or accounts to act as. The key of a
# connection is handed to dagrun in memory, and lies in no file.


class Credentials(NamedTuple):
    """What a command of dagrun signs in with, in place of what is found on its machine."""

    # The text of a key file, or its path.
    key: str | None = None
    key_path: str | None = None
    # Accounts to act as, each by way of the one before it.
    chain: tuple[str, ...] = ()

    @classmethod
    def of(cls, gcp_conn_id: str | None, impersonation_chain: str | Sequence[str] | None) -> Credentials:
        """Of a Google Cloud connection of Airflow, whose provider need not be installed."""
        chain = accounts_of(impersonation_chain)
        if gcp_conn_id is None:
            return cls(chain=chain)
        extra = extra_of_connection(gcp_conn_id)
        for name in ("key_secret_name", "credential_config_file", "is_anonymous", "idp_issuer_url"):
            if extra.get(name):
                raise failure(
                    f"The connection {gcp_conn_id} has {name}, which dagrun cannot use.",
                    "Give it a keyfile_dict or a key_path, or neither: then the machine's own credentials count.",
                    final=True,
                )
        key = extra.get("keyfile_dict")
        if key and extra.get("key_path"):
            raise failure(
                f"The connection {gcp_conn_id} has a keyfile_dict and a key_path.", "Give it one of them.", final=True
            )
        return cls(
            key=json.dumps(key) if isinstance(key, Mapping) else key or None,
            key_path=extra.get("key_path") or None,
            chain=chain or accounts_of(extra.get("impersonation_chain")),
        )

    def __repr__(self) -> str:
        key = None if self.key is None else "***"
        return f"Credentials(key={key}, key_path={self.key_path!r}, chain={self.chain!r})"

    @contextlib.contextmanager
    def handed_on(self) -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
        """The environment of a program that uses them, and descriptors that it has to be given."""
        environment = Binary.environment()
        if self.key is not None or self.key_path:
            # What this machine would sign in with counts more to dagrun than a file of credentials.
            for name in ("ACCESS_TOKEN", "ACCESS_TOKEN_FILE", "IMPERSONATE_SERVICE_ACCOUNT"):
                environment.pop(f"CLOUDSDK_AUTH_{name}", None)
        if self.chain:
            environment["CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT"] = ",".join(self.chain)
        if self.key_path:
            environment["GOOGLE_APPLICATION_CREDENTIALS"] = self.key_path
        if self.key is None:
            yield environment, ()
            return
        # It is read again each hour, also when this process is gone.
        descriptor = os.memfd_create("credentials", os.MFD_CLOEXEC)
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(self.key.encode())
            environment["GOOGLE_APPLICATION_CREDENTIALS"] = f"/proc/self/fd/{descriptor}"
            yield environment, (descriptor,)
        finally:
            os.close(descriptor)


def accounts_of(chain: Any) -> tuple[str, ...]:
    """Of an impersonation chain, as Google's operators take it: an account, a list of them, or a text with commas."""
    accounts = chain.split(",") if isinstance(chain, str) else list(chain or ())
    return tuple(account.strip() for account in accounts if account.strip())


def extra_of_connection(conn_id: str) -> dict[str, Any]:
    extra = first_of("BaseHook", "airflow.sdk", "airflow.hooks.base").get_connection(conn_id).extra_dejson
    prefix = "extra__google_cloud_platform__"
    # Where both are given, a field's new name counts, as in Google's own hook.
    old = {key[len(prefix) :]: value for key, value in extra.items() if key.startswith(prefix)}
    return {**old, **{key: value for key, value in extra.items() if not key.startswith(prefix)}}


# --- What a job is ---------------------------------------------------------------------------------------------------
#
# The names, their order and their defaults are those of Clash (pyclash): a DAG written for it changes its import only.
# What a builder builds are the keys of `job` in a spec of `dagrun job run --spec`; dagrun checks them, and
# says what is wrong with a value. A dict with Clash's own keys does too.

# What is not here has dagrun's default: zone europe-west1-b, machine n1-standard-4, service account "default",
# Container-Optimized OS, the project's default network.
DEFAULT_JOB_CONFIG: dict[str, Any] = {"image": "google/cloud-sdk"}


# Those of its values that are numbers, which a template gives as text.
NUMBERS_OF_A_CONFIG = frozenset({"disk_size_gb", "max_attempts"})


class JobConfigBuilder:
    """The machine and the container that jobs have in common.

    job_config = (
        JobConfigBuilder()
        .project_id("my-project")
        .image("google/cloud-sdk:latest")
        .machine_types(["n1-standard-32", "n1-standard-16"])
        .preemptible(True)
        .build()
    )

    Each method says one thing, and gives the builder back. All but `project_id` may be left out; the project is then
    that of the variable GOOGLE_CLOUD_PROJECT.
    """

    def __init__(self, base_config: Mapping[str, Any] = DEFAULT_JOB_CONFIG) -> None:
        self.config: dict[str, Any] = copy.deepcopy(dict(base_config))

    def _set(self, key: str, value: Any, *others: str) -> JobConfigBuilder:
        for other in others:
            self.config.pop(other, None)
        self.config[key] = value
        return self

    # As in Clash.

    def project_id(self, project_id: str) -> JobConfigBuilder:
        """The Google Cloud project that the machines are in."""
        return self._set("project", project_id, "project_id")

    def image(self, image: str) -> JobConfigBuilder:
        """A container image of any registry; to Google's registries the machine's service account is shown."""
        return self._set("image", image)

    def privileged(self, privileged: bool = True) -> JobConfigBuilder:
        """Runs the container with all rights on its machine."""
        return self._set("privileged", privileged)

    def preemptible(self, preemptible: bool = True) -> JobConfigBuilder:
        """Takes Spot capacity, which costs less and may be preempted; the job then begins again on another machine."""
        return self._set("provisioning", _provisioning(preemptible), "preemptible")

    def zone(self, zone: str) -> JobConfigBuilder:
        """The zone of the machine; `zones` gives it alternatives."""
        return self._set("zones", [zone], "zone")

    def region(self, region: str) -> JobConfigBuilder:
        """The region of the zone. Without a zone: Google picks a zone of it that has capacity."""
        return self._set("region", region)

    def subnetwork(self, subnetwork: str) -> JobConfigBuilder:
        """A subnetwork's name, or projects/HOST/regions/REGION/subnetworks/NAME of a Shared VPC."""
        return self._set("subnetwork", subnetwork)

    def machine_type(self, machine_type: str) -> JobConfigBuilder:
        """As Compute Engine names it: n1-standard-4, custom-4-8192 …"""
        return self._set("machine_type", machine_type, "machine_types")

    def service_account(self, service_account: str) -> JobConfigBuilder:
        """Who the container is to Google's services: an email address, or "default"."""
        return self._set("service_account", service_account)

    def disk_image(self, disk_image: Mapping[str, str]) -> JobConfigBuilder:
        """The machine's own system: {"project": …, "family": …}, or "name" in place of "family"."""
        return self._set("disk_image", dict(disk_image))

    def scopes(self, scopes: Sequence[str]) -> JobConfigBuilder:
        """Of the machine's access token; `cloud-platform` alone by default."""
        return self._set("scopes", list(scopes))

    def labels(self, labels: Mapping[str, str]) -> JobConfigBuilder:
        """On all that is made for the job. Keys that begin with `dagrun` are dagrun's own."""
        return self._set("labels", dict(labels))

    def allowed_persistence_regions(self, regions: Sequence[str]) -> JobConfigBuilder:
        """Where Pub/Sub may keep the job's messages; anywhere by default."""
        return self._set("allowed_persistence_regions", list(regions))

    # What dagrun has besides.

    def machine_types(self, machine_types: Sequence[str]) -> JobConfigBuilder:
        """Alternatives, the best first: the next one is taken where there is no capacity of the one before."""
        return self._set("machine_types", list(machine_types), "machine_type")

    def provisioning(self, provisioning: str) -> JobConfigBuilder:
        """ "standard", "spot", or "spot_then_standard": Spot while there is any, then on demand."""
        return self._set("provisioning", provisioning, "preemptible")

    def zones(self, zones: Sequence[str]) -> JobConfigBuilder:
        """Tried in this order."""
        return self._set("zones", list(zones), "zone")

    def regions(self, regions: Sequence[str]) -> JobConfigBuilder:
        """Tried after the zones, in this order; in each, Google picks a zone that has capacity."""
        return self._set("regions", list(regions), "region")

    def accelerator(self, accelerator_type: str, count: int = 1) -> JobConfigBuilder:
        """One more kind of accelerator, such as nvidia-tesla-t4. a2, a3, g2 … machines bring their own."""
        accelerators = [*self.config.get("accelerators", []), {"type": accelerator_type, "count": count}]
        return self._set("accelerators", accelerators)

    def disk_size_gb(self, disk_size_gb: int) -> JobConfigBuilder:
        """Of the boot disk, which the container shares; 100 by default."""
        return self._set("disk_size_gb", disk_size_gb)

    def disk_type(self, disk_type: str) -> JobConfigBuilder:
        """Such as pd-ssd."""
        return self._set("disk_type", disk_type)

    def external_address(self, external_address: bool) -> JobConfigBuilder:
        """False: no address on the internet; registries and Google are then reached by Cloud NAT or Private Google
        Access only."""
        return self._set("external_address", external_address)

    def max_run_duration_seconds(self, seconds: int | str) -> JobConfigBuilder:
        """The cloud deletes each machine after this time, whatever has become of everything else. "none": never. By
        default an hour after the timeout; without one, 24 hours."""
        return self._set("max_run_duration_seconds", seconds)

    def max_attempts(self, max_attempts: int) -> JobConfigBuilder:
        """The most machines that one job may begin, preempted ones included; 10 by default."""
        return self._set("max_attempts", max_attempts)

    def shared_memory_size(self, size: str) -> JobConfigBuilder:
        """Of /dev/shm: "8g"."""
        return self._set("shared_memory_size", size)

    def entrypoint(self, entrypoint: str) -> JobConfigBuilder:
        """Runs this program in place of the image's entry point."""
        return self._set("entrypoint", entrypoint)

    def secrets(self, secrets: Mapping[str, str]) -> JobConfigBuilder:
        """Environment variable -> secret of Secret Manager, read on the machine: NAME, NAME/versions/V, or
        projects/P/secrets/NAME/versions/V."""
        return self._set("secrets", dict(secrets))

    def environment(self, environment: Mapping[str, str]) -> JobConfigBuilder:
        """Environment variable -> value, for every job; env_vars of a task count more."""
        return self._set("environment", dict(environment))

    def mount_method(self, mount_method: str) -> JobConfigBuilder:
        """ "copy" (the default): gcs_mounts are copied in before the command begins. "gcsfuse": mounted."""
        return self._set("mount_method", mount_method)

    def log_destination(self, log_destination: str | Mapping[str, str]) -> JobConfigBuilder:
        """Where the whole log is kept too: "cloud_logging", {"cloud_storage": "bucket/path"}, or "none"."""
        given = log_destination if isinstance(log_destination, str) else dict(log_destination)
        return self._set("log_destination", given)

    def upload_outputs_on_failure(self, upload: bool = True) -> JobConfigBuilder:
        """Copies gcs_target also when the command has failed."""
        return self._set("upload_outputs_on_failure", upload)

    def build(self) -> dict[str, Any]:
        """The configuration, as `job` of a spec."""
        return spec_of_config(self.config)


def spec_of_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """`job` of a spec, from what a builder has built, or from a dict with Clash's keys."""
    if not isinstance(config, Mapping):
        raise failure(
            f"job_config is of type {type(config).__name__}, and must be a dict.",
            "Is it what JobConfigBuilder()… .build() gives? Was build() forgotten?",
            final=True,
        )
    job = copy.deepcopy(dict(config))
    _rename(job, "project_id", "project", lambda value: value)
    _rename(job, "preemptible", "provisioning", _provisioning)
    _rename(job, "zone", "zones", lambda value: [value])
    if job.get("disk_image") == {"project": "gce-uefi-images", "family": "cos-stable"}:
        del job["disk_image"]  # Clash's default, which Google has since withdrawn
    region = job.pop("region", None)
    if region and not job.get("zones") and not job.get("regions"):
        job["regions"] = [region]
    for zone in job.get("zones", []) if region else []:
        is_template = "{" in f"{zone}{region}"
        if not is_template and not str(zone).startswith(f"{region}-"):
            raise failure(
                f"job_config: the zone {zone} is not in the region {region}.",
                "Say zone or region; zones and regions (lists) say where else to look for capacity.",
                final=True,
            )
    if not job.get("project"):
        project = os.environ.get("GOOGLE_CLOUD_PROJECT")
        if not project:
            raise failure(
                "job_config names no project.",
                'Say JobConfigBuilder().project_id("my-project"), or set GOOGLE_CLOUD_PROJECT.',
                final=True,
            )
        job["project"] = project
    job.setdefault("image", DEFAULT_JOB_CONFIG["image"])
    for key in NUMBERS_OF_A_CONFIG & job.keys():
        job[key] = _number(job[key])
    if "max_run_duration_seconds" in job:
        bound = _seconds(job["max_run_duration_seconds"])
        # Google takes whole seconds.
        job["max_run_duration_seconds"] = math.ceil(bound) if isinstance(bound, float) else bound
    for accelerator in job.get("accelerators") or []:
        if isinstance(accelerator, dict) and "count" in accelerator:
            accelerator["count"] = _number(accelerator["count"])
    return job


def _number(value: Any) -> Any:
    """A template gives text; one that divides, or has a decimal to begin with, 200.0 for 200."""
    whole = re.fullmatch(r"\s*(\d{1,18})(\.0+)?\s*", value) if isinstance(value, str) else None
    return int(whole[1]) if whole else value


def _seconds(value: Any) -> Any:
    """A time, which may have decimals."""
    value = _number(value)
    return float(value) if isinstance(value, str) and re.fullmatch(r"\s*\d{1,18}\.\d{1,18}\s*", value) else value


def _provisioning(preemptible: Any) -> str:
    if isinstance(preemptible, str):  # a text is true, whatever it says
        raise failure("preemptible takes True or False.", "`provisioning` takes a template.", final=True)
    return "spot" if preemptible else "standard"


def _rename(job: dict[str, Any], key: str, new_key: str, new_value: Callable[[Any], Any]) -> None:
    if key in job:
        value = job.pop(key)
        if value is not None:
            job.setdefault(new_key, new_value(value))


class JobFactory:
    """What the jobs of a group have in common. `gcloud` was Clash's way to Google, and is not used."""

    def __init__(self, job_config: Mapping[str, Any], gcloud: Any = None) -> None:
        self.job_config = job_config


class JobRuntimeSpec(dict[str, Any]):
    """What one job of a group runs, and with which data. All of it is templated.

    It is a dict of what was given: Airflow renders that into a new one for each task, shows its values by their keys,
    and masks those whose key says that they are secret. A plain dict with the same keys does too.

    :param args: a string is a shell script, a list a program and its arguments.
    :param env_vars: environment variable -> value.
    :param gcs_mounts: bucket/path -> directory in the container.
    :param gcs_target: directory in the container -> bucket/path to which it is copied at the end.
    :param timeout_seconds: from the container's first start.
    """

    def __init__(
        self,
        args: str | Sequence[str],
        env_vars: Mapping[str, Any] | None = None,
        gcs_mounts: Mapping[str, str] | None = None,
        gcs_target: Mapping[str, str] | None = None,
        timeout_seconds: float | str | None = None,
    ) -> None:
        given = {
            "args": args,
            "env_vars": env_vars,
            "gcs_mounts": gcs_mounts,
            "gcs_target": gcs_target,
            "timeout_seconds": timeout_seconds,
        }
        super().__init__({key: value for key, value in given.items() if value is not None})


def spec_of_job(
    job_config: Mapping[str, Any],
    command: Any,
    env_vars: Any = None,
    gcs_mounts: Any = None,
    gcs_target: Any = None,
    timeout_seconds: Any = None,
    labels: Mapping[str, str] | None = None,
    render_script: Callable[[str], str] | None = None,
) -> dict[str, Any]:
    """A whole spec of `dagrun job run`. `command` is a string, a list, or the Path of a script, which `render_script`
    renders."""
    spec: dict[str, Any] = {"job": spec_of_config(job_config)}
    if labels:
        spec["job"]["labels"] = {**labels, **(spec["job"].get("labels") or {})}
    if isinstance(command, Path):
        script = _contents(command)
        if render_script is not None:
            script = render_script(_decoded(script, command)).encode()
        spec.update(script_file=command.name, script_base64=base64.b64encode(script).decode())
    elif isinstance(command, str):
        spec["command"] = command
    elif isinstance(command, (list, tuple)):
        if command:  # empty: what the image says by itself
            spec["command"] = [_text(word, "cmd") for word in command]
    else:
        raise failure(
            f"cmd is of type {type(command).__name__}.", "A string is a shell script, a list an argv.", final=True
        )
    for key, name, values in (
        ("environment", "env_vars", env_vars),
        ("mounts", "gcs_mounts", gcs_mounts),
        ("outputs", "gcs_target", gcs_target),
    ):
        if values:
            if not isinstance(values, Mapping):
                raise failure(f"{name} is of type {type(values).__name__}, and must be a dict.", final=True)
            spec[key] = {str(name): _text(value, f"{key}[{name!r}]") for name, value in values.items()}
    if timeout_seconds is not None:
        timeout_seconds = _seconds(timeout_seconds)
        if isinstance(timeout_seconds, bool) or not isinstance(timeout_seconds, (int, float)):
            raise failure(
                f"timeout_seconds is {timeout_seconds!r}, and must be a number of seconds, such as 5400 or 0.5.",
                "A template gives the digits of one: {{ params.hours * 3600 }}.",
                final=True,
            )
        spec["timeout_seconds"] = timeout_seconds
    return spec


def _text(value: Any, what: str) -> str:
    if isinstance(value, (str, int, float)):
        return str(value)
    raise failure(
        f"{what} is {value!r}, of type {type(value).__name__}, and must be a string.",
        "Templates give strings; json.dumps makes a string of a list or a dict.",
        final=True,
    )


def _decoded(script: bytes, path: Path) -> str:
    try:
        return script.decode()
    except UnicodeDecodeError as error:
        raise failure(
            f"cmd_file {path} cannot be a template: {error}.",
            "Leave out render_cmd_file, or write it as UTF-8.",
            final=True,
        ) from None


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise failure(
            f"cmd_file {path} cannot be read on this worker: {error.strerror or error}.",
            "A relative path is looked for beside the DAG's file, then in the worker's folder.",
        ) from error


def script_path(name: str, dag_file: str | None) -> Path:
    """Where the script of a `cmd_file` is: beside the DAG's file, else in the worker's folder."""
    path = Path(name).expanduser()
    if path.is_absolute() or not dag_file:
        return path
    beside = Path(dag_file).parent / path
    return beside if beside.exists() else path.absolute()


# --- Operators of jobs -----------------------------------------------------------------------------------------------
#
# The job of a task is named after dag, task, run and map index (BASE), and its try: BASE-1, BASE-2 … A try whose worker
# died leaves its job running, or a result that nobody took; the next try continues with that job, or reports that
# result, and no second machine is paid for. Only when a result was taken does the next try begin a new job.

# Failures that are not the program's, and that no retry mends.
FINAL_KINDS = frozenset({"permission", "invalid_request", "command_not_executable", "command_not_found"})

# dagrun's job names have 50 characters at most; the try comes behind the base.
LONGEST_BASE = 46
# A machine without a bound of its own may live this much longer than its task's execution_timeout. Google's own bound
# is 120 days.
SECONDS_BEYOND_TIMEOUT, LONGEST_RUN_SECONDS = 3600, 120 * 86400
# Of the wait for a job's removal, this much is left to Airflow, to end the task.
SECONDS_FOR_AIRFLOW = 5


def slug(text: str, longest: int) -> str:
    """The text in lower-case letters, digits and single hyphens, beginning with a letter."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not words[:1].isalpha():
        words = f"job-{words}"
    return words[:longest].strip("-")


def job_base_name(prefix: str | None, ti: Any, index: int | None = None) -> str:
    """The name of a task's job without its try: readable, and the same in every try of one task in one run."""
    map_index = getattr(ti, "map_index", -1)
    identity = [ti.dag_id, ti.task_id, ti.run_id, map_index, index]
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:10]
    return f"{slug(prefix or f'{ti.dag_id}-{ti.task_id}', LONGEST_BASE - 11)}-{digest}"


def failure_of_job(record: Mapping[str, Any], last_lines: Sequence[str]) -> AirflowException | None:
    """What to raise for a job's record (of `dagrun job run -o json`); None when it succeeded."""
    name, ending, status = record.get("name"), record.get("ending"), record.get("exit_status")
    if ending == "exited" and status == 0:
        return None
    if ending == "exited":
        log = "\n".join(last_lines)
        return failure(f"The program of job {name} ended with status {status}. The last lines of its log:\n{log}")
    if ending == "cancelled":
        return failure(
            f"Job {name} was cancelled, and not by Airflow.",
            "Somebody said `dagrun job cancel`? Clear the task to run it again.",
            final=True,
        )
    told = record.get("failure")
    if not isinstance(told, Mapping):
        return failure(
            f"What dagrun said of job {name} is not a job's result: {json.dumps(record)[:200]}",
            "Are program and plugin of the same version? `dagrun airflow-plugin` writes the plugin anew.",
        )
    kind = told.get("kind")
    return failure(f"Job {name} failed, not by its program ({kind}): {told.get('message')}", final=kind in FINAL_KINDS)


def value_of_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a task returns, and so its XCom: job (its name), exit_status, duration_seconds, total_seconds, zone,
    machine_type, spot, attempts (machines), preemptions, cost, output (what the program wrote to $DAGRUN_OUTPUT: the
    value of its JSON, else the text), left_behind (resources that could not be removed)."""
    output = record.get("output")
    if isinstance(output, str):
        with contextlib.suppress(ValueError):
            output = json.loads(output)
    return {
        "job": record.get("name"),
        **(record.get("result") or {}),
        "exit_status": record.get("exit_status"),
        "output": output,
        "left_behind": record.get("left_behind") or [],
    }


class JobRun:
    """One job of a task, run by one `dagrun job run`."""

    def __init__(
        self, base: str, spec: dict[str, Any], log: Any, title: str = "", credentials: Credentials | None = None
    ) -> None:
        self.base = base
        self.spec = spec
        self.title = title
        self._credentials = credentials
        self._log = log
        self._command: Command | None = None
        # Of an earlier command of the job; closed with the last one.
        self._past: list[Command] = []
        self.is_cancelled = False
        self.record: dict[str, Any] | None = None
        self.error: AirflowException | None = None

    @property
    def command(self) -> Command:
        assert self._command is not None
        return self._command

    @property
    def has_begun(self) -> bool:
        return self._command is not None

    @property
    def is_settled(self) -> bool:
        return self.command.has_result or self.command.is_over

    @property
    def was_handed_over(self) -> bool:
        """Its machine is asked for, and nobody drives it."""
        value = None if self._command is None else self._command.value
        return isinstance(value, dict) and value.get("handed_over") is True

    def begin(self, attempt: int, hand_over: bool) -> None:
        """Runs the job, or continues with the one that an earlier try began."""
        options = ["--spec", "-", "-o", "json", "--name", self.base, "--attempt", str(attempt)]
        if hand_over:
            options.append("--hand-over")
        self.record, self.error = None, None
        self._command = Binary().start(
            ["job", "run", *options], stdin=self._spec_text(), on_line=self.say, credentials=self._credentials
        )

    def _spec_text(self) -> str:
        try:
            return json.dumps(self.spec)
        except (TypeError, ValueError) as error:
            raise failure(
                f"The spec of job {self.base} is not JSON: {error}.",
                "job_config takes texts, numbers, lists and dicts only.",
                final=True,
            ) from error

    def cancel(self) -> None:
        """Asks, once, for its end; the program removes what the job has, also without this process."""
        if self.is_cancelled:
            return
        handed_over = self.command.value if self.was_handed_over else None
        self.is_cancelled = True
        if handed_over is None:
            self.command.terminate()
            return
        self._past.append(self.command)
        arguments = ["job", "cancel", handed_over["name"], "--project", handed_over["project"]]
        self._command = Binary().start(arguments, on_line=self.say, leash=False, credentials=self._credentials)

    def say(self, line: str) -> None:
        self._log.info("%s%s", self.title, line)

    def settle(self) -> None:
        """Takes what the settled command said into `record` or `error`."""
        if self.is_cancelled:
            self.error = failure(f"Job {self.base} was cancelled, for Airflow ended the task.")
            return
        try:
            self.record = self.command.result()
        except AirflowException as error:
            self.error = error
            return
        if self.was_handed_over:
            return
        for left in self.record.get("left_behind") or []:
            self._log.warning("%sleft behind, for `dagrun job gc`: %s", self.title, left)
        self.error = failure_of_job(self.record, self.command.last_lines)

    def is_of_a_cancelled_try(self, attempt: int) -> bool:
        """Whether the result is the cancellation of an earlier try: this one came after it, so its job begins anew."""
        record = self.record or {}
        return not self.is_cancelled and record.get("ending") == "cancelled" and record.get("attempt") != attempt

    def cancellation(self) -> str:
        """How far its cancellation is."""
        # `dagrun job cancel`, of a job that was handed over, has no result; its log tells what is left behind.
        was_removed = bool(self._past) and self.command.is_over and self.command.finished().exit_status == 0
        if self.command.has_result or was_removed:
            left = ", ".join(self.left_behind())
            return f"job {self.base} is cancelled; {f'left behind: {left}' if left else 'nothing is left'}"
        hint = "`dagrun job list` tells, and `dagrun job gc` removes what a process could not."
        if self.command.is_over:
            # Without a result: it crashed, or somebody killed it.
            return f"process {self.command.pid} ended before it had removed what job {self.base} has. {hint}"
        return f"job {self.base} is not removed yet; process {self.command.pid} continues with it. {hint}"

    def left_behind(self) -> list[str]:
        """What a cancelled job could not remove, as far as it said."""
        with contextlib.suppress(AirflowException):
            return [str(left) for left in self.command.result().get("left_behind") or []]
        return []

    def close(self) -> None:
        for command in [*self._past, *filter(None, [self._command])]:
            command.__exit__()


# Where a task says which jobs are its own, for its link.
JOBS_KEY = "dagrun_jobs"


class JobLink(BaseOperatorLink):
    """In Airflow's page of a task: a page of Google's console about its jobs."""

    def page(self, names: Sequence[str]) -> str:
        """The page's address, without its project."""
        raise NotImplementedError

    def address(self, jobs: Mapping[str, Any]) -> str:
        page = f"https://console.cloud.google.com/{self.page(jobs['names'])}"
        return f"{page}?project={urllib.parse.quote(str(jobs['project']))}"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        xcom = first_of("XCom", "airflow.sdk.execution_time.xcom", "airflow.models.xcom")
        jobs = xcom.get_value(ti_key=ti_key, key=JOBS_KEY)
        return self.address(jobs) if isinstance(jobs, Mapping) else ""


class JobLogLink(JobLink):
    """What Google's log has of its machines, by their names."""

    name = "Google Cloud log"

    def page(self, names: Sequence[str]) -> str:
        query = " OR ".join(f'"{name}"' for name in names)
        return f"logs/query;query={urllib.parse.quote(query, safe='')}"


class JobMachinesLink(JobLink):
    """The machines of its project: its own are there while they run."""

    name = "Google Cloud VMs"

    def page(self, names: Sequence[str]) -> str:
        return "compute/instances"


class JobTask(BaseOperator):
    """What the operators of jobs share: running them, ending them, and waiting for them in the triggerer.

    :param deferrable: waits in the triggerer, so that no worker is occupied; Airflow's `default_deferrable` by default.
    :param gcp_conn_id: a Google Cloud connection of Airflow whose key makes and watches the machines; without it, the
        credentials of the worker and the triggerer do.
    :param impersonation_chain: the service account that does it in their place, or several of them, each of which may
        act as the next one.
    """

    operator_extra_links: Collection[Any] = (JobLogLink(), JobMachinesLink())

    _was_killed = False

    def __init__(
        self,
        *,
        deferrable: bool | None = None,
        gcp_conn_id: str | None = None,
        impersonation_chain: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.gcp_conn_id = gcp_conn_id
        self.impersonation_chain = impersonation_chain
        if deferrable is None:
            deferrable = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = deferrable
        self._runs: list[JobRun] = []

    def jobs(self, context: Context) -> list[JobRun]:
        """The task's jobs; nothing has begun."""
        raise NotImplementedError

    def render_template(self, content: Any, context: Context, *others: Any, **options: Any) -> Any:
        """Airflow renders a dict's values and not its keys, but a bucket's path is a key of gcs_mounts."""
        rendered = super().render_template(content, context, *others, **options)
        if rendered is content or not isinstance(content, dict) or not isinstance(rendered, dict):
            return rendered  # as it is: what another task has given is not a template
        keys = [
            super(JobTask, self).render_template(key, context, *others, **options)
            if isinstance(key, str) and "{" in key
            else key
            for key in content
        ]
        made = dict(zip(keys, rendered.values()))
        if len(made) < len(keys):
            twice = next(key for key in made if keys.count(key) > 1)
            raise failure(f"Task {self.task_id}: two keys of a dict are the same once rendered: {twice!r}.", final=True)
        return made

    def credentials(self) -> Credentials:
        return Credentials.of(self.gcp_conn_id, self.impersonation_chain)

    def bounded(self, job_config: Mapping[str, Any]) -> dict[str, Any]:
        """`job` of a spec. Where the job has no bound of its own, the task's execution_timeout bounds its machines: a
        task that was killed in its last try cancels nothing."""
        job = spec_of_config(job_config)
        if self.execution_timeout is not None and job.get("max_run_duration_seconds") is None:
            seconds = math.ceil(self.execution_timeout.total_seconds()) + SECONDS_BEYOND_TIMEOUT
            job["max_run_duration_seconds"] = min(seconds, LONGEST_RUN_SECONDS)
        return job

    def value(self, values: list[dict[str, Any]]) -> Any:
        """What the task returns."""
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        ti: Any = context["ti"]
        runs = self._runs = self.jobs(context)
        self._push_links(runs, ti)
        attempt = max(1, int(ti.try_number))
        try:
            self._run_all(runs, attempt)
            if not any(run.was_handed_over for run in runs):
                return self._end(runs, ti)
            trigger = self._trigger(runs, ti)
            self._refuse_if_killed()
        except SupervisorGone:
            raise
        except BaseException:
            # A timeout of Airflow, a kill, Ctrl-C, or a job that could not begin: none is left running.
            self._cancel(runs)
            raise
        finally:
            self._runs = []
            for run in runs:
                run.close()
        self.defer(trigger=trigger, method_name="execute_complete")
        return None

    def _push_links(self, runs: Sequence[JobRun], ti: Any) -> None:
        jobs = {"project": runs[0].spec["job"]["project"], "names": [run.base for run in runs]}
        ti.xcom_push(key=JOBS_KEY, value=jobs)
        for link in self.operator_extra_links:
            # Airflow 3 asks for links when the task is over, and shows them from then on; so it has them from now on.
            key = getattr(link, "xcom_key", None)
            if key is not None and isinstance(link, JobLink):
                ti.xcom_push(key=key, value=link.address(jobs))

    def _run_all(self, runs: list[JobRun], attempt: int) -> None:
        for run in runs:
            self._begin(run, attempt)
        waiting = runs
        while waiting:
            self._wait(waiting)
            for run in waiting:
                run.settle()
            waiting = [run for run in waiting if run.is_of_a_cancelled_try(attempt)]
            for run in waiting:
                run.say(f"job {run.base} was cancelled in an earlier try; it begins anew")
                run.command.taken()
                run.close()
                self._begin(run, attempt)

    def _begin(self, run: JobRun, attempt: int) -> None:
        self._refuse_if_killed()
        run.begin(attempt, self.deferrable)
        self._refuse_if_killed()

    def _wait(self, runs: Sequence[JobRun]) -> None:
        """Until all are settled."""
        run_until([run.command for run in runs], lambda: self._was_killed or all(run.is_settled for run in runs))
        self._refuse_if_killed()

    def _refuse_if_killed(self) -> None:
        """Airflow 3 continues with a task after its on_kill, which may come before there is a job to cancel."""
        if self._was_killed:
            raise failure(f"Airflow ended the task {self.task_id}; its jobs are cancelled.")

    def _end(self, runs: list[JobRun], ti: Any) -> Any:
        errors = [run.error for run in runs if run.error is not None]
        # What has succeeded beside a failure is not taken while there are tries left: the next one reports it, and runs
        # only what failed.
        keeps_successes = will_be_retried(errors, ti)
        values = [value_of_record(run.record) for run in runs if run.record is not None and run.error is None]
        for run in runs:
            if run.error is None and keeps_successes:
                run.command.leave()
            else:
                run.command.taken()
        if errors:
            raise one_failure(errors, len(runs))
        return self.value(values)

    def _trigger(self, runs: list[JobRun], ti: Any) -> ComputeEngineJobTrigger:
        """Of the jobs that were handed over. What has ended already goes along."""
        may_retry = will_be_retried([failure("")], ti)
        jobs = []
        for run in runs:
            known: dict[str, Any] = {"title": run.title}
            if run.was_handed_over and run.record is not None:
                run.command.wait(30)
                known.update(name=run.record["name"], project=run.record["project"])
            elif run.error is not None:
                run.command.taken()
                known.update(failure=str(run.error), final=isinstance(run.error, AirflowFailException))
            elif may_retry and run.record is not None:
                # As in _end: should another job fail, it is the next try's.
                run.command.leave()
                known.update(record=run.record, kept=run.record["name"])
            else:
                run.command.taken()
                known.update(record=run.record)
            jobs.append(known)
        deadline = None
        if self.execution_timeout is not None and ti.start_date is not None:
            deadline = (ti.start_date + self.execution_timeout).timestamp()
        return ComputeEngineJobTrigger(
            jobs=jobs,
            deadline=deadline,
            may_retry=may_retry,
            gcp_conn_id=self.gcp_conn_id,
            impersonation_chain=list(accounts_of(self.impersonation_chain)) or None,
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Continues after the trigger: the jobs are over, and their results taken."""
        jobs = event["jobs"]
        errors = [failure(job["failure"], final=bool(job.get("final"))) for job in jobs if job.get("failure")]
        if errors:
            raise one_failure(errors, len(jobs))
        return self.value([value_of_record(job["record"]) for job in jobs])

    def on_kill(self) -> None:
        """Airflow ends the task: its jobs are cancelled, and all that they have is removed."""
        self._was_killed = True
        self._cancel(self._runs)
        # In `dags test` and dag.test() it comes after the task has deferred, too.
        cancel_inline_triggers()

    def _cancel(self, runs: Sequence[JobRun]) -> None:
        alive = [run for run in runs if run.has_begun and (not run.is_settled or run.was_handed_over)]
        if not alive:
            return
        # First of all: Airflow 3 kills this process five seconds after its first signal.
        for run in sorted(alive, key=lambda run: run.was_handed_over):
            run.cancel()
        for run in alive:
            run.say(f"cancelling job {run.base}; process {run.command.pid} removes what it has, also without this task")
        patience = conf.getint("core", "killed_task_cleanup_time", fallback=60) - SECONDS_FOR_AIRFLOW
        with contextlib.suppress(SupervisorGone):
            run_until(
                [run.command for run in alive],
                lambda: all(run.is_settled for run in alive),
                time.monotonic() + patience,
            )
        for run in alive:
            if run.is_settled:
                run.command.taken()
            run.say(run.cancellation())


def will_be_retried(errors: Sequence[AirflowException], ti: Any) -> bool:
    """Whether Airflow tries the task again after these failures."""
    if not errors or all(isinstance(error, AirflowFailException) for error in errors):
        return False
    return int(ti.try_number) <= int(getattr(ti, "max_tries", 0) or 0)


def one_failure(errors: Sequence[AirflowException], count: int) -> AirflowException:
    if count == 1:
        return errors[0]
    text = "\n\n".join(str(error) for error in errors)
    return failure(
        f"{len(errors)} of {count} jobs failed.\n\n{text}",
        final=all(isinstance(error, AirflowFailException) for error in errors),
    )


def airflow_labels(ti: Any) -> dict[str, str]:
    """Labels by which bills and `dagrun job list` tell whose a job is."""
    return {"airflow-dag": slug(ti.dag_id, 63), "airflow-task": slug(ti.task_id, 63)}


class ComputeEngineJobOperator(JobTask):
    """Runs a container on a machine of Compute Engine that exists only for it; returns how it went (value_of_record).

    Further parameters are those of JobTask.

    :param job_config: what JobConfigBuilder builds.
    :param cmd: a string is a shell script, a list a program and its arguments; an empty list runs what the image says.
    :param cmd_file: the path of a script, beside the DAG's file; its `#!` line or its extension says what runs it.
    :param name_prefix: how the job's name begins; dag and task by default. The same in every try of a run.
    :param env_vars: environment variable -> value.
    :param gcs_target: directory in the container -> bucket/path to which it is copied at the end. A directory that is
        missing or empty fails the job.
    :param gcs_mounts: bucket/path -> directory in the container, where its objects are when the command begins.
    :param timeout_seconds: from the container's first start; waiting for a machine does not count.
    :param render_cmd_file: the script is a template, as its path is.
    """

    template_fields: Sequence[str] = (
        "job_config",
        "cmd",
        "cmd_file",
        "env_vars",
        "gcs_target",
        "gcs_mounts",
        "timeout_seconds",
        "name_prefix",
        "gcp_conn_id",
        "impersonation_chain",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"job_config": "json", "cmd": "bash", "env_vars": "json"}
    ui_color = "#ceebff"

    def __init__(
        self,
        job_config: Mapping[str, Any],
        cmd: str | Sequence[str] | None = None,
        cmd_file: str | None = None,
        name_prefix: str | None = None,
        env_vars: Mapping[str, Any] | None = None,
        gcs_target: Mapping[str, str] | None = None,
        gcs_mounts: Mapping[str, str] | None = None,
        timeout_seconds: float | str | None = None,
        render_cmd_file: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_config = job_config
        self.cmd = cmd
        self.cmd_file = cmd_file
        self.name_prefix = name_prefix
        self.env_vars = env_vars
        self.gcs_target = gcs_target
        self.gcs_mounts = gcs_mounts
        self.timeout_seconds = timeout_seconds
        self.render_cmd_file = render_cmd_file
        if (cmd is None) == (cmd_file is None):
            given = "neither" if cmd is None else "both"
            raise failure(
                f"Task {self.task_id}: {given} of cmd and cmd_file is given.",
                "Give one: cmd (a string is a shell script, a list an argv, [] what the image says), or cmd_file.",
            )

    def jobs(self, context: Context) -> list[JobRun]:
        ti: Any = context["ti"]
        command: Any = self.cmd
        if self.cmd_file is not None:
            dag: Any = context.get("dag")
            command = script_path(self.cmd_file, getattr(dag, "fileloc", None))
        spec = spec_of_job(
            self.bounded(self.job_config),
            command,
            env_vars=self.env_vars,
            gcs_mounts=self.gcs_mounts,
            gcs_target=self.gcs_target,
            timeout_seconds=self.timeout_seconds,
            labels=airflow_labels(ti),
            render_script=(lambda text: str(self.render_template(text, context))) if self.render_cmd_file else None,
        )
        return [JobRun(job_base_name(self.name_prefix, ti), spec, self.log, credentials=self.credentials())]

    def value(self, values: list[dict[str, Any]]) -> Any:
        return values[0]


class ComputeEngineJobGroupOperator(JobTask):
    """Runs several jobs at the same time, and returns a list of how each went, in their order. Succeeds if all do; a
    retry runs those again that failed. Further parameters are those of JobTask.

    :param name: how the jobs' names begin.
    :param job_factory: JobFactory(job_config), what the jobs have in common.
    :param runtime_specs: a JobRuntimeSpec for each job.
    """

    template_fields: Sequence[str] = ("name", "job_config", "runtime_specs", "gcp_conn_id", "impersonation_chain")
    template_fields_renderers: ClassVar[dict[str, str]] = {"job_config": "json"}
    ui_color = "#99d4ff"

    def __init__(
        self,
        name: str,
        job_factory: JobFactory,
        runtime_specs: Sequence[JobRuntimeSpec],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.job_factory = job_factory
        # By what it has, not by its class: Airflow may load this file twice.
        self.job_config = getattr(job_factory, "job_config", None)
        self.runtime_specs = runtime_specs

    def jobs(self, context: Context) -> list[JobRun]:
        ti: Any = context["ti"]
        if not self.runtime_specs:
            raise failure(
                f"Task {self.task_id} has no jobs: runtime_specs is empty.",
                "Give a JobRuntimeSpec for each.",
                final=True,
            )
        if self.job_config is None:
            raise failure(
                f"Task {self.task_id}: job_factory is of type {type(self.job_factory).__name__}.",
                "Give JobFactory(job_config).",
                final=True,
            )
        credentials = self.credentials()
        runs = []
        for index, runtime in enumerate(self.runtime_specs):
            if not isinstance(runtime, Mapping):
                raise failure(
                    f"Task {self.task_id}: runtime_specs[{index}] is of type {type(runtime).__name__}.",
                    "Give a JobRuntimeSpec for each job.",
                    final=True,
                )
            if unknown := runtime.keys() - inspect.signature(JobRuntimeSpec).parameters.keys():
                raise failure(
                    f"Task {self.task_id}: runtime_specs[{index}] has the unknown key {min(map(str, unknown))!r}.",
                    "Give a JobRuntimeSpec for each job.",
                    final=True,
                )
            if "args" not in runtime:
                raise failure(
                    f"Task {self.task_id}: runtime_specs[{index}] has no args.",
                    "Give a JobRuntimeSpec for each job: its first argument is what it runs.",
                    final=True,
                )
            spec = spec_of_job(
                self.bounded(self.job_config),
                runtime["args"],
                env_vars=runtime.get("env_vars"),
                gcs_mounts=runtime.get("gcs_mounts"),
                gcs_target=runtime.get("gcs_target"),
                timeout_seconds=runtime.get("timeout_seconds"),
                labels=airflow_labels(ti),
            )
            prefix = f"{slug(self.name, LONGEST_BASE - 16)}-{index}"
            runs.append(JobRun(job_base_name(prefix, ti, index), spec, self.log, f"[{index}] ", credentials))
        return runs

    def value(self, values: list[dict[str, Any]]) -> Any:
        return values


# --- The trigger of deferrable jobs ----------------------------------------------------------------------------------
#
# A deferrable task begins its job and hands it over: the job then belongs to whoever attaches to it by its name. All
# triggers of a triggerer that sign in with the same credentials share one `dagrun job serve`, which drives their jobs.
# It ends with the triggerer and leaves the jobs running; the next triggerer attaches to them.

# How long a cancelled job's removal is waited for; Airflow gives on_kill 30 s.
SECONDS_OF_CANCEL = 25.0
# A job that another process still drives (a triggerer that is ending, say) is asked for again, so often.
SECONDS_BETWEEN_ATTACHES, ATTACHES = 5.0, 60
HELD_BY_ANOTHER = 5
# The first question of a triggerer loads much of Airflow.
SECONDS_FOR_AN_ANSWER = 30.0
LONGEST_LINE_BYTES = 64 << 20


async def ask_airflow(question: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns that asks Airflow, and waits for its answer.

    Not by asyncio.to_thread: what Airflow 3.0 and 3.1 ask with would make an event loop in that thread, which reads the
    runner's answers beside this one. And never interrupted: an answer that nobody reads is taken for the next one.
    Either ends the whole triggerer.
    """
    asking = asyncio.ensure_future(sync_to_async(question)(*arguments))
    _asking.add(asking)
    asking.add_done_callback(_asking.discard)
    return await asyncio.shield(asking)


# The loop itself keeps no task that nobody waits for.
_asking: set[asyncio.Future[Any]] = set()


# A connection of Airflow, and accounts to act as.
Login = tuple[Union[str, None], tuple[str, ...]]


class JobServer:
    """The one `dagrun job serve` of an event loop and a login: begun with the first job, begun again if it dies, ended
    with the last."""

    _of_loop: ClassVar[tuple[asyncio.AbstractEventLoop, dict[Login, JobServer]] | None] = None

    def __init__(self, login: Login) -> None:
        self._login = login
        # Of the jobs that triggers follow: their projects, and what is said of them.
        self._projects: dict[str, str] = {}
        self._events: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        # Jobs that the process drives, or has been told to.
        self._attached: set[str] = set()
        # Of these, those that it removes; it is not told to leave them, for nobody else would continue with that.
        self._cancelling: set[str] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()
        self._reading: set[asyncio.Task[None]] = set()
        self._log = logging.getLogger(__name__)

    @classmethod
    def current(cls, login: Login) -> JobServer:
        """The server of the running loop."""
        loop = asyncio.get_running_loop()
        if cls._of_loop is None or cls._of_loop[0] is not loop:
            cls._of_loop = (loop, {})
        servers = cls._of_loop[1]
        if login not in servers:
            servers[login] = cls(login)
        return servers[login]

    async def attach(self, name: str, project: str) -> asyncio.Queue[dict[str, Any]]:
        """The events of a job, from now on."""
        events = self._events.setdefault(name, asyncio.Queue())
        self._projects[name] = project
        if name not in self._attached:
            await self._say({"attach": name, "project": project})
        return events

    async def cancel(self, name: str) -> None:
        self._cancelling.add(name)
        await self._say({"cancel": name})

    async def taken(self, name: str) -> None:
        await self._say({"taken": name})

    async def release(self, name: str) -> None:
        """Leaves a job as it is. Without jobs the server ends, once what it cancels is removed."""
        if self._events.pop(name, None) is None:
            return
        self._projects.pop(name, None)
        if name in self._attached:
            self._attached.discard(name)
            if name not in self._cancelling:
                self._write({"leave": name})
        if not self._events and self._process is not None:
            process, self._process = self._process, None
            if process.stdin is not None:
                process.stdin.close()

    async def ended(self) -> None:
        """Waits for the end of processes that have no jobs left."""
        if self._process is None and self._reading:
            await asyncio.wait(self._reading, timeout=SECONDS_OF_CANCEL)

    async def _say(self, order: Mapping[str, Any]) -> None:
        """Says it to the process. To a new one, all jobs are named first."""
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                self._attached.clear()
                self._process = await self._begin()
                for name, project in self._projects.items():
                    if "attach" not in order or name != order["attach"]:
                        self._write({"attach": name, "project": project})
            self._write(order)

    def _write(self, order: Mapping[str, Any]) -> None:
        if "attach" in order:
            self._attached.add(order["attach"])
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError, RuntimeError):  # it has died: _read begins another
                self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def _begin(self) -> asyncio.subprocess.Process:
        path = await asyncio.to_thread(Binary().check)
        credentials = Credentials()
        if any(self._login):
            try:
                credentials = await asyncio.wait_for(ask_airflow(Credentials.of, *self._login), SECONDS_FOR_AN_ANSWER)
            except AirflowException:
                raise
            except Exception as error:
                raise failure(f"Airflow does not give the connection {self._login[0]}: {error!r}.") from error
        try:
            with credentials.handed_on() as (environment, descriptors):
                process = await asyncio.create_subprocess_exec(
                    path,
                    "job",
                    "serve",
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                    env=environment,
                    pass_fds=descriptors,
                    limit=LONGEST_LINE_BYTES,
                    start_new_session=True,
                )
        except OSError as error:
            raise cannot_run(path, error) from error
        for reader in (self._read(process), self._read_errors(process)):
            # In a context of its own: what the server says is not of the trigger that began it.
            task = contextvars.Context().run(asyncio.create_task, reader)
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        return process

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            try:
                event = json.loads(line)
                name, kind = event.get("job"), event.get("event")
            except (ValueError, AttributeError):
                self._log.warning("dagrun job serve: %s", line.decode(errors="replace").rstrip())
                continue
            if kind in ("ended", "failed"):
                self._attached.discard(name)
                self._cancelling.discard(name)
            if name in self._events:
                self._events[name].put_nowait(event)
            elif kind == "refused":
                self._log.warning("dagrun job serve: %s", event.get("message"))
        status = await process.wait()
        if process is not self._process:
            return
        self._log.warning("dagrun job serve (process %s) ended with status %s; it begins again", process.pid, status)
        delay = 1.0
        told = ""
        while self._events and process is self._process:
            await asyncio.sleep(delay)
            try:
                await self._say_anew()
            except AirflowException as error:
                delay = min(delay * 2, 60.0)
                # Who reads a task's log does not read the triggerer's; and once is enough.
                text = f"dagrun job serve cannot begin, and is tried again: {error}"
                self._log.warning("%s", text)
                for events in self._events.values() if text != told else ():
                    events.put_nowait({"event": "note", "text": text})
                told = text

    async def _say_anew(self) -> None:
        for name in list(self._projects)[:1]:
            await self._say({"attach": name, "project": self._projects[name]})

    async def _read_errors(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr
        async for line in process.stderr:
            self._log.info("dagrun job serve: %s", line.decode(errors="replace").rstrip())


# The triggers that run without a triggerer, in the process of `dags test` or dag.test().
_inline: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []


@contextlib.contextmanager
def inline_trigger() -> Iterator[None]:
    """While a trigger runs in this process, the operator's on_kill cancels it."""
    task = asyncio.current_task()
    assert task is not None
    entry = (asyncio.get_running_loop(), task)
    _inline.append(entry)
    try:
        yield
    finally:
        _inline.remove(entry)


def cancel_inline_triggers() -> None:
    """Also from a handler of signals."""
    # Airflow may load this file twice; it runs triggers of the copy that it loaded last.
    running = getattr(sys.modules.get(__name__), "_inline", _inline)
    for loop, task in list(running):
        loop.call_soon_threadsafe(task.cancel)


class ComputeEngineJobTrigger(BaseTrigger):
    """Waits for a task's jobs, shows their logs, and carries their results.

    :param jobs: of each job `name`, `project` and `title` (the beginning of its log lines); one that was over before
        the task deferred has `record` or `failure` and `final`; and `kept`, its name, if its result is not taken yet.
    :param deadline: seconds since 1970: then the jobs are cancelled, for the task's execution_timeout is over.
    :param may_retry: the task has tries left; jobs that succeed beside one that fails are kept for the next try.
    :param gcp_conn_id: as that of JobTask.
    :param impersonation_chain: as that of JobTask.
    """

    def __init__(
        self,
        jobs: list[dict[str, Any]],
        deadline: float | None = None,
        may_retry: bool = False,
        gcp_conn_id: str | None = None,
        impersonation_chain: list[str] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call,unused-ignore]
        self.jobs = jobs
        self.deadline = deadline
        self.may_retry = may_retry
        self.gcp_conn_id = gcp_conn_id
        self.impersonation_chain = impersonation_chain
        self._ended: dict[int, dict[str, Any]] = {}
        self._has_fired = False
        self._killing: asyncio.Future[None] | None = None
        # Of the jobs that are being cancelled, by their places in `jobs`.
        self._removals: dict[int, asyncio.Future[None]] = {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        known: dict[str, Any] = {"jobs": self.jobs, "deadline": self.deadline, "may_retry": self.may_retry}
        known.update(gcp_conn_id=self.gcp_conn_id, impersonation_chain=self.impersonation_chain)
        return f"{type(self).__module__}.{type(self).__name__}", known

    def _server(self) -> JobServer:
        return JobServer.current((self.gcp_conn_id, accounts_of(self.impersonation_chain)))

    async def run(self) -> AsyncIterator[TriggerEvent]:
        in_triggerer = self.task_instance is not None
        try:
            with contextlib.nullcontext() if in_triggerer else inline_trigger():
                await self._wait()
        except AirflowException as error:
            # Without the program nothing is known of the jobs: they continue.
            for index, job in enumerate(self.jobs):
                self._ended.setdefault(index, self._unknown(job, error))
        except asyncio.CancelledError:
            # Ctrl-C in `dags test` or dag.test(): they call neither on_kill nor cleanup.
            if not in_triggerer:
                await self._cancel(SECONDS_OF_CANCEL)
                await self._leave_server()
            raise
        self._has_fired = True
        if not in_triggerer:
            # `dags test` and dag.test() use the first event, and never ask for another one.
            await self._take()
            await self._leave_server()
        told = {"jobs": [self._ended[index] for index in range(len(self.jobs))]}
        yield TriggerEvent(told)  # type: ignore[no-untyped-call,unused-ignore]
        # Airflow has the event. Had this process died before, the next triggerer would be told the same result again.
        if in_triggerer:
            await self._take()

    async def _take(self) -> None:
        """Acknowledges the results. A success beside a failure is kept while the task has tries left."""
        has_failure = any("failure" in job for job in self._ended.values())
        for job in self._ended.values():
            is_kept = "failure" not in job and has_failure and self.may_retry
            name = job["name"] if job.get("is_told") else job.get("kept")
            if name is not None and not is_kept:
                await self._server().taken(name)

    async def on_kill(self) -> None:
        """The task was cleared, marked or deleted (Airflow 3.3 and later say so): its jobs are cancelled."""
        if self._has_waiting_jobs:
            self._killing = asyncio.ensure_future(self._cancel(SECONDS_OF_CANCEL))
            await asyncio.wait({self._killing})

    async def cleanup(self) -> None:
        """The trigger leaves this process."""
        # In a task of its own: Airflow may cancel this one again (Airflow 2 does each second) until it has ended.
        leaving = asyncio.ensure_future(self._leave())
        while not leaving.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({leaving})

    async def _leave(self) -> None:
        """Before 3.3, Airflow does not say why the trigger leaves: the task's state does."""
        try:
            tells_of_kills = hasattr(BaseTrigger, "on_kill")
            if self._killing is not None:
                await asyncio.wait({self._killing})
            elif self._has_waiting_jobs and not tells_of_kills and await self._task_was_ended():
                await self._cancel(SECONDS_OF_CANCEL)
        finally:
            await self._release()

    async def _release(self) -> None:
        for name in self._names():
            await self._server().release(name)

    async def _leave_server(self) -> None:
        """Before the loop is closed, which only a triggerer's is not after each trigger."""
        await self._release()
        await self._server().ended()

    @property
    def _has_waiting_jobs(self) -> bool:
        return not self._has_fired and len(self._ended) < len(self.jobs)

    def _names(self) -> list[str]:
        return [job["name"] for job in self.jobs if "name" in job]

    async def _wait(self) -> None:
        """Until all jobs have ended, or the deadline is over."""
        left = None if self.deadline is None else self.deadline - time.time()
        waits = asyncio.gather(*(self._follow(index) for index in range(len(self.jobs))))
        try:
            await asyncio.wait_for(waits, left)
        except asyncio.TimeoutError:
            self.log.error("the task's execution_timeout is over")
            waiting = [index for index in range(len(self.jobs)) if index not in self._ended]
            await self._cancel(SECONDS_OF_CANCEL)
            for index in waiting:
                job = self.jobs[index]
                told = f"Job {job['name']} was cancelled: it was not over within the task's execution_timeout."
                is_told = self._ended.get(index, {}).get("is_told", False)
                self._ended[index] = {**job, "failure": told, "is_told": is_told}

    async def _follow(self, index: int) -> None:
        """Shows a job's log, until it has ended."""
        job = self.jobs[index]
        if "name" not in job:
            self._ended[index] = job
            return
        name, title = job["name"], job.get("title", "")
        lines: deque[str] = deque(maxlen=QUOTED_LINES)
        attaches = 1
        events = await self._server().attach(name, job["project"])
        while index not in self._ended:
            event = await events.get()
            kind = event.get("event")
            if kind in ("log", "note"):
                for line in str(event.get("text", "")).splitlines():
                    lines.append(line)
                    self.log.info("%s%s", title, line)
            elif kind == "ended":
                self._ended[index] = self._end(job, event, list(lines))
            elif kind == "failed" and event.get("exit_code") == HELD_BY_ANOTHER and attaches < ATTACHES:
                if attaches == 1:
                    self.log.info("%sanother process has job %s still: %s", title, name, event.get("message"))
                attaches += 1
                await asyncio.sleep(SECONDS_BETWEEN_ATTACHES)
                events = await self._server().attach(name, job["project"])
            elif kind == "failed":
                told = [f"Job {name} is not to be had: {event.get('message')}", str(event.get("hint") or "")]
                self._ended[index] = {**job, "failure": "\n".join(filter(None, told))}

    def _end(self, job: dict[str, Any], event: Mapping[str, Any], lines: list[str]) -> dict[str, Any]:
        record = event.get("result") or {}
        for left in record.get("left_behind") or []:
            self.log.warning("%sleft behind, for `dagrun job gc`: %s", job.get("title", ""), left)
        if event.get("text"):
            self.log.info("%s%s", job.get("title", ""), event["text"])
        error = failure_of_job({"name": job["name"], **record}, lines)
        if error is None:
            return {**job, "record": record, "is_told": True}
        return {**job, "failure": str(error), "final": isinstance(error, AirflowFailException), "is_told": True}

    def _unknown(self, job: dict[str, Any], error: AirflowException) -> dict[str, Any]:
        """Of a job that nobody could ask about. Who pays for it is told how to end it."""
        final = isinstance(error, AirflowFailException)
        what = f"Job {job.get('name')} continues"
        if self.may_retry and not final:
            what += "; the task's next try adopts it."
        else:
            what += f" to its limit; to end it: dagrun job cancel {job.get('name')} --project {job['project']}"
        return {**job, "failure": f"{error}\n{what}", "final": final}

    async def _cancel(self, seconds: float) -> None:
        """Cancels what has not ended; waits for its removal, and says what is left."""
        for index, job in enumerate(self.jobs):
            if index not in self._ended and index not in self._removals and "name" in job:
                self._removals[index] = asyncio.ensure_future(self._cancel_job(index))
        # Also those that an earlier call began: Airflow may cancel a trigger whose deadline has cancelled its jobs.
        waiting = {removal for removal in self._removals.values() if not removal.done()}
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        unfinished = []
        for index, removal in self._removals.items():
            if not removal.done():
                removal.cancel()
                unfinished.append(self.jobs[index]["name"])
            elif not removal.cancelled() and removal.exception() is not None:
                self.log.warning("cannot cancel job %s: %s", self.jobs[index]["name"], removal.exception())
        if unfinished:
            self.log.warning(
                "not removed yet: %s; `dagrun job list` tells, `dagrun job gc` removes", ", ".join(unfinished)
            )

    async def _cancel_job(self, index: int) -> None:
        server, name = self._server(), self.jobs[index]["name"]
        self.log.info("cancelling job %s", name)
        events = await server.attach(name, self.jobs[index]["project"])
        await server.cancel(name)
        kind = None
        while kind not in ("ended", "failed"):
            event = await events.get()
            kind = event.get("event")
            if kind in ("log", "note"):
                self.log.info("%s", event.get("text"))
        if kind == "ended":
            self._ended[index] = self._end(self.jobs[index], event, [])
            await server.taken(name)
            self.log.info("job %s is cancelled", name)
        else:
            self.log.warning("job %s could not be cancelled: %s", name, event.get("message"))

    async def _task_was_ended(self) -> bool:
        """Whether the task is no longer deferred: it was cleared, marked, or timed out. If it is, this triggerer is
        ending, or hands the trigger over. Without an answer the jobs are left: the next try continues with them."""
        try:
            state = await asyncio.wait_for(ask_airflow(self._state_of_task), SECONDS_FOR_AN_ANSWER)
        except asyncio.TimeoutError:
            self.log.warning("Airflow does not say the task's state: its jobs are left as they are")
            return False
        except Exception as error:
            self.log.warning("the task's state cannot be had (%s): its jobs are left as they are", error)
            return False
        return bool(state != "deferred")

    def _state_of_task(self) -> str | None:
        ti: Any = self.task_instance
        try:  # Airflow 3
            from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
        except ImportError:
            return state_in_database(ti)
        states = RuntimeTaskInstance.get_task_states(
            dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=ti.map_index
        )
        state = states.get(ti.run_id, {}).get(ti.task_id)
        return None if state is None else str(getattr(state, "value", state))


def state_in_database(ti: Any) -> str | None:
    """Of a task, in Airflow 2."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        query: Any = session.query(TaskInstance.state)
        row = query.filter_by(
            dag_id=ti.dag_id, task_id=ti.task_id, run_id=ti.run_id, map_index=ti.map_index
        ).one_or_none()
    return None if row is None or row[0] is None else str(getattr(row[0], "value", row[0]))


# --- Runs of Swift DAGs as one task ----------------------------------------------------------------------------------


class DagrunCommandOperator(BaseOperator):
    """What runs one command of dagrun, and lets it cancel what it does when the task is stopped."""

    _command: Command | None = None
    _was_killed = False

    def _result(self, arguments: Sequence[str], stdin: str | None = None, *, leash: bool = True) -> dict[str, Any]:
        """Waits for the command's JSON object, and tells it that it has been taken."""
        with self._running(arguments, stdin, leash) as command:
            result = command.result()
            command.taken()
        return result

    def _finished(self, arguments: Sequence[str], credentials: Credentials) -> Finished:
        """Waits for the end of a command that is told nothing."""
        with self._running(arguments, credentials=credentials, leash=False) as command:
            command.wait()
            self._refuse_if_killed()
            return command.finished()

    @contextlib.contextmanager
    def _running(
        self,
        arguments: Sequence[str],
        stdin: str | None = None,
        leash: bool = True,
        credentials: Credentials | None = None,
    ) -> Iterator[Command]:
        """A command that is cancelled when the task is ended."""
        self._refuse_if_killed()
        with Binary().start(
            arguments, stdin=stdin, on_line=self._log_line, leash=leash, credentials=credentials
        ) as command:
            self._command = command
            try:
                self._refuse_if_killed()
                yield command
            except SupervisorGone:
                raise
            except BaseException:
                # A timeout of Airflow, a kill, Ctrl-C.
                self._cancel(command)
                raise

    def _refuse_if_killed(self) -> None:
        """Airflow 3 continues with a task after its on_kill, which may come before there is a command to stop."""
        if self._was_killed:
            raise failure(f"Airflow ended the task {self.task_id}.")

    def on_kill(self) -> None:
        self._was_killed = True
        if self._command is not None:
            self._cancel(self._command)

    def _cancel(self, command: Command) -> None:
        if command.is_over or command.has_result:
            return
        self.log.info("stopping `%s` (process %s)", command.description, command.pid)
        command.terminate()
        patience = conf.getint("core", "killed_task_cleanup_time", fallback=60) - SECONDS_FOR_AIRFLOW
        with contextlib.suppress(SupervisorGone):
            run_until([command], lambda: command.is_over or command.has_result, time.monotonic() + patience)
        if command.is_over or command.has_result:
            command.taken()
        else:
            self.log.warning("process %s is not done with that; it continues without this task", command.pid)

    def _log_line(self, line: str) -> None:
        self.log.info("%s", line)


class DagrunTriggerOperator(DagrunCommandOperator):
    """Runs a Swift DAG, from its first task to its last, as one task of Airflow, and waits for it.

        DagrunTriggerOperator(task_id="train", dag_id="nightly", conf={"day": "{{ ds }}"})

    `dagrun trigger` does it: the run lives in dagrun's home on the worker's machine. When the worker dies, the tasks
    that run continue there; the next try follows that run to its end, or takes its result if it has ended meanwhile.
    Once a result was taken, whatever it was, another try begins a new run. A task that is stopped, cleared or timed out
    cancels its run.

    :param dag_id: the Swift DAG (templated, as `trigger_dag_id`).
    :param conf: values for its parameters (templated): a mapping, or the JSON text of one, which keeps numbers numbers
        where a template makes them: '{"top": {{ params.top }}}'.
    :param dags_folder: the folder of the Swift files. Default: $DAGRUN_DAGS_FOLDER, or else the folder of the Python
        file of this DAG; a relative path is relative to that.
    :return: the run: dag_run_id, state, start_date, end_date, … of `dagrun trigger -o json`.
    """

    # `dag_id` is what Airflow calls the DAG that a task belongs to.
    template_fields: Sequence[str] = ("trigger_dag_id", "conf", "dags_folder")
    template_fields_renderers: ClassVar[dict[str, str]] = {"conf": "json"}
    ui_color = "#f2e4d8"

    _note: RunNote | None = None

    def __init__(
        self,
        *,
        dag_id: str,
        conf: Mapping[str, Any] | str | None = None,
        dags_folder: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.trigger_dag_id = dag_id
        self.conf = conf
        self.dags_folder = None if dags_folder is None else os.fspath(dags_folder)

    def execute(self, context: Context) -> dict[str, Any]:
        note = self._note = RunNote.of(context)
        run, is_new = self._run_to_follow(note, context)
        arguments = ["trigger", run.dag_id, "--run-id", run.run_id, "--conf", run.conf, "-o", "json"]
        folder = swift_dags_folder(self.dags_folder, beside=self.dag.fileloc)
        try:
            # No leash: the run continues without this process.
            record = self._result([*arguments, "--dags-folder", folder], leash=False)
        except AirflowException:
            if is_new and self._exit_status() in NOTHING_WAS_BEGUN:
                note.remove()
            raise
        note.remove()
        return self._judged(record)

    def _cancel(self, command: Command) -> None:
        # A run that was cancelled is not followed by the next try.
        if self._note is not None and not command.is_over and not command.has_result:
            self._note.remove()
        super()._cancel(command)

    def _exit_status(self) -> int | None:
        return self._command.finished().exit_status if self._command is not None and self._command.is_over else None

    def _run_to_follow(self, note: RunNote, context: Context) -> tuple[FollowedRun, bool]:
        """The run of an earlier try whose result nobody took; or else a new one, which is noted. Whether it is new."""
        run = note.read()
        if run and run.dag_id == self.trigger_dag_id:
            self.log.info("An earlier try of this task began run %s of %s: following it.", run.run_id, run.dag_id)
            return run, False
        if run:
            self.log.warning("An earlier try began run %s of %s; this one is of another DAG.", run.run_id, run.dag_id)
        run = FollowedRun(self.trigger_dag_id, RunNote.new_run_id(context), self._conf_text())
        note.write(run)
        return run, True

    def _conf_text(self) -> str:
        conf = self.conf
        try:
            value = json.loads(conf) if isinstance(conf, str) else dict(conf or {})
            if isinstance(value, dict):
                return json.dumps(value, sort_keys=True)
        except (TypeError, ValueError) as error:
            raise failure(f"conf is not JSON: {error}", f"It is {conf!r}.", final=True) from error
        raise failure(f"conf must be a JSON object such as {{'day': '2026-01-31'}}, not {conf!r}", final=True)

    def _judged(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record of a run that succeeded; raises for one that did not, with the tasks that are to blame."""
        dag_id, run_id, state = record.get("dag_id"), record.get("dag_run_id"), record.get("state")
        failed = [said_of_task(task) for task in record.get("failed_tasks") or []]
        for line in failed:
            self.log.error("%s", line)
        if state == "success":
            return record
        names = "\n".join(failed) or "No task of it failed: it was cancelled, or took too long."
        raise failure(
            f"Run {run_id} of Swift DAG {dag_id} ended as {state}.\n{names}",
            f"The log of a task, on that machine: dagrun tasks logs {dag_id} {shlex.quote(str(run_id))} TASK",
        )


# Exit statuses with which a trigger has made no run: wrong values, no such DAG, a file that does not compile.
NOTHING_WAS_BEGUN = frozenset({2, 3, 4})


def said_of_task(task: Mapping[str, Any]) -> str:
    reason = task.get("reason")
    tries = f" at try {task['try_number']}" if task.get("try_number") else ""
    return f"task {task.get('task_id')}: {task.get('state')}{tries}" + (f": {reason}" if reason else "")


def swift_dags_folder(path: str | os.PathLike[str] | None, *, beside: str | None) -> str:
    """The absolute path of the folder of the Swift files; `beside`: the Python file that speaks of them."""
    here = os.path.dirname(os.path.abspath(beside)) if beside else os.getcwd()
    return os.path.abspath(os.path.join(here, os.path.expanduser(path or os.environ.get("DAGRUN_DAGS_FOLDER") or here)))


class FollowedRun(NamedTuple):
    """A run of a Swift DAG, as it was asked for."""

    dag_id: str
    run_id: str
    conf: str


class RunNote:
    """Which run a task waits for, noted in dagrun's home from before the run begins until its result has been taken.

    Airflow keeps nothing from one try of a task to the next, and the name of the run alone does not tell whether its
    result has been taken: after a worker's death it has not, after a task was cleared it has.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of(cls, context: Context) -> RunNote:
        key = "\n".join(str(part) for part in cls._parts(context))
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        return cls(Path(Binary.environment()["DAGRUN_HOME"]) / "airflow" / f"{name}.json")

    @classmethod
    def new_run_id(cls, context: Context) -> str:
        """Tells whose run it is; at most 240 bytes, and fit for a folder's name."""
        *parts, map_index = cls._parts(context)
        words = [*parts, *([map_index] if map_index >= 0 else []), f"try{context['ti'].try_number}"]
        text = re.sub(r"[^\w.:+=-]", "_", "__".join(["airflow", *map(str, words)]))
        # The same run of Airflow can begin anew, with try 1 (`airflow dags test`, a run that was deleted).
        return text.encode()[:220].decode(errors="ignore") + "__" + uuid.uuid4().hex[:8]

    @staticmethod
    def _parts(context: Context) -> tuple[str, str, str, int]:
        instance = context["ti"]
        index = getattr(instance, "map_index", None)
        return instance.dag_id, instance.task_id, instance.run_id, -1 if index is None else index

    def read(self) -> FollowedRun | None:
        try:
            return FollowedRun(**json.loads(self._path.read_text()))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError) as error:
            raise failure(
                f"{self._path}, which tells which run of a Swift DAG this task began, cannot be read: {error}",
                "Look for the run with `dagrun dags list-runs`, cancel it if it still runs, and remove that file.",
            ) from error

    def write(self, run: FollowedRun) -> None:
        """It is there as a whole, or not at all."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self._path.parent, delete=False) as file:
                json.dump(run._asdict(), file)
            os.replace(file.name, self._path)
        except OSError as error:
            raise failure(
                f"{self._path} cannot be written: {error}",
                "Set DAGRUN_HOME to a folder that Airflow's workers may write to.",
            ) from error

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


# --- Swift DAGs as DAGs of Airflow -----------------------------------------------------------------------------------


def dagrun_dags(
    path: str | os.PathLike[str] | None = None,
    *,
    default_args: Mapping[str, Any] | None = None,
) -> dict[str, DAG]:
    """A DAG of Airflow for each Swift DAG of a folder, by its id. In a file of Airflow's dags folder:

        from dagrun_plugin import dagrun_dags  # Airflow reads only files in which the word airflow stands

        globals().update(dagrun_dags("/path/to/swift/dags"))

    Each Swift task becomes a task of Airflow that runs `dagrun tasks run` for it, on whatever worker it is sent to;
    values go from task to task through XCom. A Swift file that does not compile becomes a DAG `import_error__FILE` that
    says what is wrong, for an import error of Airflow's would stop the DAGs of all the other files too. Only where no
    DAG is left it is one.

    :param path: the folder. Default: $DAGRUN_DAGS_FOLDER, or else the folder of the Python file that calls; a relative
        path is relative to that.
    :param default_args: what Swift does not say of tasks: owner, queue, executor_config, callbacks, …
    """
    caller = sys._getframe(1).f_globals.get("__file__")
    folder = swift_dags_folder(path, beside=caller)
    export = Binary().query("dags", "export", "-o", "json", "--dags-folder", folder)
    wanted = get_parsing_context().dag_id
    made: dict[str, DAG] = {}
    errors = ImportErrors(folder)
    for error in export["import_errors"]:
        errors.add(error["file"], error["message"], error.get("line"))
    for swift_dag in export["dags"]:
        # A worker parses the file for the one DAG that it runs a task of.
        if wanted is not None and swift_dag["id"] != wanted:
            continue
        mapped = [task for task in swift_dag["tasks"] if task.get("is_mapped")]
        if mapped:
            message = (
                f"DAG {swift_dag['id']} maps {', '.join(task['id'] for task in mapped)} over lists, which only "
                "dagrun's own scheduler does: run the whole DAG with DagrunTriggerOperator"
            )
            errors.add(swift_dag["file"], message, mapped[0]["line"], swift_dag["id"])
            continue
        try:
            made[swift_dag["id"]] = airflow_dag(swift_dag, folder, default_args or {})
        except Exception as error:  # what Airflow refuses in one DAG must not take the others away
            errors.add(swift_dag["file"], f"Airflow refuses DAG {swift_dag['id']}: {error}", None, swift_dag["id"])
    if wanted is None:
        errors.log()
        if errors and not made:
            raise failure(f"No Swift DAG of {folder} can be used.\n{errors}")
    made.update(errors.dags())
    return made if wanted is None else {wanted: made[wanted]} if wanted in made else {}


def airflow_dag(swift_dag: Mapping[str, Any], folder: str, default_args: Mapping[str, Any]) -> DAG:
    """One DAG of `dagrun dags export`. Raises whatever Airflow has against it."""
    schedule = swift_dag["schedule"]
    start_date = date_of(swift_dag["start_date"])
    doc = swift_dag["doc"]
    dag: Any = DAG(
        swift_dag["id"],
        schedule=airflow_schedule(schedule),
        start_date=start_date or default_start_date(schedule, swift_dag["file"]),
        end_date=date_of(swift_dag["end_date"]),
        # dagrun has no tick to begin with where there is no start date, and makes up for the newest one only.
        catchup=swift_dag["catchup"] and start_date is not None,
        # Airflow refuses more for a continuous DAG, which dagrun does not make either.
        max_active_runs=1 if schedule and schedule.get("continuous") else swift_dag["max_active_runs"],
        max_active_tasks=swift_dag["max_active_tasks"],
        dagrun_timeout=seconds(swift_dag["dagrun_timeout_seconds"]),
        params={param["name"]: airflow_param(param) for param in swift_dag["params"]},
        tags=swift_dag["tags"],
        description=doc.strip().splitlines()[0] if doc else None,
        doc_md=doc,
        default_args=dict(default_args),
    )
    groups = airflow_groups(swift_dag.get("groups", []), dag)
    tasks: dict[str, Any] = {task["id"]: airflow_task(task, dag, folder, groups) for task in swift_dag["tasks"]}
    for task in swift_dag["tasks"]:
        if task["upstream"]:
            tasks[task["id"]].set_upstream([tasks[upstream] for upstream in task["upstream"]])
        if task["role"] == "setup":
            tasks[task["id"]].as_setup()
        elif task["role"] == "teardown":
            setups = [tasks[setup] for setup in task["setups"]]
            tasks[task["id"]].as_teardown(setups=setups, on_failure_fail_dagrun=task["on_failure_fail_dagrun"])
    dag.validate()
    return cast("DAG", dag)


def airflow_groups(swift_groups: Iterable[Mapping[str, Any]], dag: DAG) -> dict[str, tuple[Any, str]]:
    """Airflow's group, and what ids in it begin with, by the group's id. Each group comes after the one it is in."""
    if not swift_groups:
        return {}
    TaskGroup = first_of("TaskGroup", "airflow.sdk", "airflow.utils.task_group")
    groups: dict[str, tuple[Any, str]] = {}
    for group in swift_groups:
        parent, prefix = groups[group["parent"]] if group["parent"] else (dag.task_group, "")
        made = TaskGroup(
            group_id=group["id"][len(prefix) :],
            prefix_group_id=bool(group["prefix"]),
            parent_group=parent,
            dag=dag,
            tooltip=group["doc"] or "",
        )
        groups[group["id"]] = (made, group["prefix"])
    return groups


def airflow_task(task: Mapping[str, Any], dag: DAG, folder: str, groups: Mapping[str, tuple[Any, str]]) -> BaseOperator:
    backoff = task["retry_backoff_multiplier"] or 0
    # Airflow puts the group's id before the task's.
    group, prefix = groups[task["group"]] if task.get("group") else (None, "")
    arguments: dict[str, Any] = {
        "task_id": task["id"][len(prefix) :],
        "task_group": group,
        "dag": dag,
        "trigger_rule": task["trigger_rule"],
        "retries": task["retries"],
        "retry_delay": seconds(task["retry_delay_seconds"]),
        # Earlier versions of Airflow know no multiplier but 2.
        "retry_exponential_backoff": backoff > 1 if KNOWS_NO_MULTIPLIER else backoff,
        "max_retry_delay": seconds(task["max_retry_delay_seconds"] or None),
        "pool": task["pool"],
        "pool_slots": task["pool_slots"],
        "priority_weight": task["priority_weight"],
        "weight_rule": task["weight_rule"],
        "depends_on_past": task["depends_on_past"],
        # Airflow starts the task as that user; dagrun finds itself there.
        "run_as_user": task.get("run_as_user"),
        "wait_for_past_depends_before_skipping": task["wait_for_past_depends_before_skipping"],
        "max_active_tis_per_dag": task["max_active_tis_per_dag"],
        "max_active_tis_per_dagrun": task["max_active_tis_per_dagrun"],
        "doc_md": task["doc"],
    }
    if task["operator"] == "EmptyOperator":
        return DagrunEmptyOperator(**arguments)
    if task["operator"] == "LatestOnlyOperator":
        return cast("BaseOperator", latest_only_operator()(**arguments))
    # dagrun itself ends what takes too long, and says so; a job's time counts from its container's start, and not while
    # it waits for a machine. Airflow's own timeout stands behind the others.
    if task["execution_timeout_seconds"] is not None and not task["is_job"]:
        arguments["execution_timeout"] = seconds(task["execution_timeout_seconds"] + SECONDS_TO_END_A_TASK)
    kind = deciding_operator() if task.get("decides") else DagrunTaskOperator
    return kind(dags_folder=folder, inputs=task["inputs"], is_job=task["is_job"], **arguments)


def airflow_schedule(schedule: Mapping[str, Any] | None) -> Any:
    if schedule is None:
        return None
    if schedule.get("once"):
        return "@once"
    if schedule.get("continuous"):
        return "@continuous"
    if "cron" not in schedule:
        raise failure(f"its schedule is of a kind that this plugin does not know: {json.dumps(schedule)}")
    # By their names, for what a cron expression alone means differs between Airflow 2 and 3, and by its configuration.
    timetable = CronDataIntervalTimetable if schedule["data_interval"] else CronTriggerTimetable
    return timetable(schedule["cron"], timezone=schedule["timezone"])


def default_start_date(schedule: Mapping[str, Any] | None, file: str) -> datetime.datetime | None:
    """Of a DAG that has none. Airflow 2 wants one of every DAG with a schedule."""
    if schedule is None:
        return None
    if "cron" in schedule:
        # So that it begins with the newest tick there was, as dagrun does.
        return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    if not NEEDS_START_DATE:
        return None
    # The date that its first run has: at once, and the same at each parse.
    changed = os.stat(file).st_mtime if os.path.exists(file) else 0
    return datetime.datetime.fromtimestamp(int(changed), tz=datetime.timezone.utc)


def airflow_param(param: Mapping[str, Any]) -> Param:
    schema = dict(param["schema"])
    description = schema.pop("description", None)
    if "default" in param:
        return Param(param["default"], description=description, **schema)
    return Param(description=description, **schema)


def date_of(text: str | None) -> datetime.datetime | None:
    # Python before 3.11 reads no "Z".
    return None if text is None else datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds(number: float | None) -> datetime.timedelta | None:
    return None if number is None else datetime.timedelta(seconds=number)


# dagrun gives a task that it stops 10 s.
SECONDS_TO_END_A_TASK = 30
IS_AIRFLOW_2 = AIRFLOW_VERSION.startswith("2.")
NEEDS_START_DATE = IS_AIRFLOW_2
# Airflow checks the argument's type, and the DAG against a schema.
KNOWS_NO_MULTIPLIER = inspect.signature(BaseOperator.__init__).parameters["retry_exponential_backoff"].default is False


class DagrunEmptyOperator(BaseOperator):
    """A Swift task without work. Airflow's scheduler ends it, without a worker."""

    inherits_from_empty_operator = True
    ui_color = "#e8f0e8"

    def execute(self, context: Context) -> None:
        pass


class DagrunTaskOperator(DagrunCommandOperator):
    """One task of a Swift DAG, which has the same ids: made by `dagrun_dags`.

    Its output goes to XCom as it is: numbers, texts, lists, objects. The outputs that it needs come from there.
    """

    ui_color = "#f7e9de"

    def __init__(
        self,
        *,
        dags_folder: str,
        inputs: Sequence[str] = (),
        is_job: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dags_folder = dags_folder
        self.inputs = list(inputs)
        self.is_job = is_job

    def execute(self, context: Context) -> Any:
        arguments = ["tasks", "run", self.dag_id, self.task_id, "--dags-folder", self.dags_folder]
        arguments += ["--context", "-", "-o", "json"]
        result = self._result(arguments, json.dumps(self._swift_context(context)))
        output = self._conclude(result)
        if result.get("skip"):
            self._skip_tasks(context, result["skip"])
        return output

    def _skip_tasks(self, context: Mapping[str, Any], task_ids: Sequence[str]) -> None:
        raise failure(f"{self.task_id} decides over {', '.join(task_ids)}, which this DAG does not know; parse it anew")

    def _swift_context(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """What `dagrun tasks run` is to know of the run: what Airflow does not have is left out."""
        instance, run = context["ti"], context["dag_run"]
        params = context.get("params") or {}
        dates: dict[str, Any] = {
            "logical_date": context.get("logical_date"),
            "data_interval_start": context.get("data_interval_start"),
            "data_interval_end": context.get("data_interval_end"),
            "run_after": getattr(run, "run_after", None),
            "previous_success_start": context.get("prev_data_interval_start_success"),
            "previous_success_end": context.get("prev_data_interval_end_success"),
        }
        return {
            "run_id": context["run_id"],
            "try_number": instance.try_number,
            # Parameters are what Airflow made of them; what the run was given besides can be read as well.
            "conf": {**(run.conf or {}), **(params.dump() if hasattr(params, "dump") else params)},
            "outputs": self._outputs(instance),
            **({"job": self._job(instance)} if self.is_job else {}),
            # Some are proxies, also of None.
            **{name: date.isoformat() for name, date in dates.items() if hasattr(date, "isoformat")},
        }

    def _job(self, instance: Any) -> dict[str, Any]:
        """As of the operators of jobs: a try continues with the job that a dead worker left."""
        return {"name": job_base_name(None, instance), "attempt": max(1, int(instance.try_number))}

    def _outputs(self, instance: Any) -> dict[str, Any]:
        """Of the tasks that this one reads; None of one that has handed nothing on, such as one that was skipped."""
        return {task_id: instance.xcom_pull(task_ids=task_id) for task_id in self.inputs}

    def _conclude(self, result: Mapping[str, Any]) -> Any:
        state, reason = result.get("state"), result.get("reason") or "it gave no reason"
        if state == "skipped":
            raise AirflowSkipException(reason)
        if state == "failed":
            raise failure(f"{self.task_id}: {reason}", final=not result.get("retry", True))
        if state != "success":
            raise failure(f"{self.task_id} ended in a state that this plugin does not know: {state}")
        return result.get("output")


@functools.cache
def deciding_operator() -> type[DagrunTaskOperator]:
    """The operator of a branch or a short circuit. Made where it is needed: what it stands on takes long to load."""
    # The provider may be installed in Airflow 2 too, and skips as Airflow 3 does.
    modules = ("airflow.sdk.bases.skipmixin", "airflow.providers.standard.utils.skipmixin")
    SkipMixin: Any = first_of("SkipMixin", *(("airflow.models.skipmixin",) if IS_AIRFLOW_2 else modules))

    class DagrunDecidingOperator(DagrunTaskOperator, SkipMixin):  # type: ignore[misc]
        """A task of a Swift DAG that decides which tasks below it run, as Airflow's own do."""

        ui_color = "#eee8aa"
        # So that Airflow asks, of a task below that is cleared, whether it was skipped before.
        inherits_from_skipmixin = True

        def _skip_tasks(self, context: Mapping[str, Any], task_ids: Sequence[str]) -> None:
            instance = context["ti"]
            # One that is new in the Swift file is not in this run.
            tasks = [self.dag.get_task(task_id) for task_id in task_ids if self.dag.has_task(task_id)]
            if not IS_AIRFLOW_2:
                # Ends the task by an exception, with success.
                self.skip(instance, tasks)
                return
            run = context["dag_run"]
            self.skip(dag_run=run, execution_date=run.execution_date, tasks=tasks, map_index=instance.map_index)

    return DagrunDecidingOperator


@functools.cache
def latest_only_operator() -> Any:
    """Airflow's own: only Airflow knows which of its runs is the latest."""
    if not IS_AIRFLOW_2:
        return first_of("LatestOnlyOperator", "airflow.providers.standard.operators.latest_only")
    LatestOnlyOperator: Any = first_of("LatestOnlyOperator", "airflow.operators.latest_only")

    class DagrunLatestOnlyOperator(LatestOnlyOperator):  # type: ignore[misc]
        """Airflow 2's looks for the present in the next run's data interval, which is empty in a cron trigger
        timetable: it would skip below every scheduled run."""

        def choose_branch(self, context: Any) -> list[str]:
            run, dag = context["dag_run"], context["dag"]
            following = None
            if not run.external_trigger:
                following = dag.next_dagrun_info(dag.get_run_data_interval(run), restricted=False)
            # Without a lower bound: a worker's clock may be behind the scheduler's.
            if following is None or datetime.datetime.now(datetime.timezone.utc) < following.run_after:
                return sorted(self.downstream_task_ids)
            self.log.info("Not the latest run: the next one was due at %s.", following.run_after)
            return []

    return DagrunLatestOnlyOperator


class ImportErrors:
    """Swift files, and DAGs, that Airflow cannot be given; as DAGs that say so."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._messages: dict[str, list[str]] = {}

    def add(self, file: str, message: str, line: int | None, dag_id: str | None = None) -> None:
        name = os.path.relpath(file, self._folder) if os.path.isabs(file) else file
        place = f"{name}:{line}" if line else name
        self._messages.setdefault(dag_id or name, []).append(f"{place}: {message}")

    def __bool__(self) -> bool:
        return bool(self._messages)

    def __str__(self) -> str:
        return "\n".join(message for messages in self._messages.values() for message in messages)

    def log(self) -> None:
        for messages in self._messages.values():
            for message in messages:
                logging.getLogger("airflow.dagrun").error("%s", message)

    def dags(self) -> dict[str, DAG]:
        return {dag.dag_id: dag for dag in (self._dag(*entry) for entry in self._messages.items())}

    def _dag(self, name: str, messages: Sequence[str]) -> DAG:
        dag_id = "import_error__" + re.sub(r"[^\w.-]", "_", name)[:200]
        text = "\n".join(messages)
        dag = DAG(
            dag_id,
            schedule=None,
            catchup=False,
            tags=["import error"],
            description=text.splitlines()[0][:500],
            # Indented, so that it is shown as it is.
            doc_md="\n".join(f"    {line}" for line in text.splitlines()),
        )
        DagrunImportErrorOperator(task_id="import_error", message=text, dag=dag)
        return dag


class DagrunImportErrorOperator(BaseOperator):
    """Stands for a Swift file that cannot be used: fails, and says why."""

    ui_color = "#f4c7c3"

    def __init__(self, *, message: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.message = message

    def execute(self, context: Context) -> None:
        raise failure(self.message, final=True)


# --- What keeps projects clean ---------------------------------------------------------------------------------------


class DagrunMaintenanceOperator(DagrunCommandOperator):
    """Removes what jobs have left behind in a project (`dagrun job gc`); returns what was removed.

    A task that is ended asks it to stop; what it is at the point of removing then, it removes.

    :param project: without it, the project of $GOOGLE_CLOUD_PROJECT, or gcloud's.
    :param older_than: what other homes, such as those of workers that are gone, have begun is removed when it is that
        old, running machines included: longer than the longest job. None: only what this worker's home has begun.
    :param gcp_conn_id: as that of the operators of jobs.
    :param impersonation_chain: as that of the operators of jobs.
    """

    template_fields: Sequence[str] = ("project", "older_than", "gcp_conn_id", "impersonation_chain")
    ui_color = "#e8f7e4"

    def __init__(
        self,
        *,
        project: str | None = None,
        older_than: str | None = "7d",
        gcp_conn_id: str | None = None,
        impersonation_chain: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.older_than = older_than
        self.gcp_conn_id = gcp_conn_id
        self.impersonation_chain = impersonation_chain

    def execute(self, context: Context) -> list[dict[str, Any]]:
        options = ["--project", self.project] if self.project else []
        if self.older_than is not None:
            options += ["--all-homes", "--older-than", self.older_than]
        finished = self._finished(
            ["job", "gc", "-o", "json", *options], Credentials.of(self.gcp_conn_id, self.impersonation_chain)
        )
        if finished.exit_status not in (0, COULD_NOT_REMOVE_ALL):
            raise finished.failure()
        resources = finished.json()
        for resource in resources:
            self.log.info("%s %s: %s (%s)", resource["kind"], resource["name"], resource["fate"], resource["reason"])
        left = [resource["name"] for resource in resources if resource["fate"] == "not removed"]
        if left:
            raise failure(f"Not removed: {', '.join(left)}.", "The task's log says why, of each.")
        return [resource for resource in resources if resource["fate"] == "removed"]


# `dagrun job gc` lists in its JSON what it could not remove.
COULD_NOT_REMOVE_ALL = 5
SECONDS_OF_MAINTENANCE = 3600


def dagrun_maintenance(
    dag_id: str = "dagrun_maintenance",
    *,
    projects: Sequence[str] = (),
    older_than: str | None = "7d",
    gcp_conn_id: str | None = None,
    impersonation_chain: str | Sequence[str] | None = None,
    **dag_arguments: Any,
) -> DAG:
    """A DAG that removes, each day, what jobs have left behind: machines whose worker died with no try left, and what
    else they have in Google Cloud.

        from dagrun_plugin import dagrun_maintenance    # of Airflow: a file without that word is not read

        dag = dagrun_maintenance(projects=["my-project"])

    :param projects: a task for each; without them, one for the project of $GOOGLE_CLOUD_PROJECT, or gcloud's.
    :param dag_arguments: of the DAG: its schedule (each day by default), its default_args …
    """
    arguments: dict[str, Any] = {
        "schedule": "@daily",
        "start_date": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
        "catchup": False,
        "max_active_runs": 1,
        "description": "Removes what jobs of dagrun have left behind in Google Cloud",
        **dag_arguments,
    }
    arguments["default_args"] = {
        "execution_timeout": datetime.timedelta(seconds=SECONDS_OF_MAINTENANCE),
        **(dag_arguments.get("default_args") or {}),
    }
    dag: Any = DAG(dag_id, **arguments)
    # Not the plugin's: Airflow reads a DAG's file again for each of its tasks.
    dag.fileloc = sys._getframe(1).f_globals.get("__file__", __file__)
    for project in projects or (None,):
        DagrunMaintenanceOperator(
            task_id=slug(f"collect-{project}", 200) if project else "collect",
            project=project,
            older_than=older_than,
            gcp_conn_id=gcp_conn_id,
            impersonation_chain=impersonation_chain,
            dag=dag,
        )
    return cast(DAG, dag)


# --- The plugin ------------------------------------------------------------------------------------------------------


class DagrunPlugin(AirflowPlugin):
    """Makes this file known to Airflow (`airflow plugins` lists it). DAGs import what they need: since Airflow 2 a
    plugin registers no operators, and the plugins folder is on Python's path."""

    name = "dagrun"
    # Airflow 2's web server makes links only of classes that it knows.
    operator_extra_links = [JobLogLink(), JobMachinesLink()]
