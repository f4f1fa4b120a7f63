"""What a test of real Airflow stands on: an emulated Google Cloud, PostgreSQL, and Airflow with its processes.

Every process is one of these tests' own: started here, ended here, by its id. This process takes in what they leave behind
(PR_SET_CHILD_SUBREAPER), so that a task's process whose parents were killed is found and ended too. Ports are free ones;
everything lies in one temporary folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

AIRFLOW_VERSION = importlib.metadata.version("apache-airflow")
IS_AIRFLOW_3 = not AIRFLOW_VERSION.startswith("2.")
# The newest is the first of Tests/AirflowTests/versions.
IS_NEWEST = AIRFLOW_VERSION == next(
    line.split()[0] for line in (Path(__file__).parents[1] / "versions").read_text().splitlines() if line[0] != "#"
)

# How long anything may take, on a machine that does much else.
PATIENCE_SECONDS = float(os.environ.get("DAGRUN_AIRFLOW_PATIENCE", "240"))


def wait_for(what: str, look: Callable[[], Any], alive: Callable[[], None] = lambda: None, seconds: float | None = None) -> Any:
    """What `look` gives, once it is true. `alive` raises when it is in vain to wait."""
    end = time.monotonic() + (seconds or PATIENCE_SECONDS)
    while True:
        found = look()
        if found:
            return found
        alive()
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


# Processes


PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
prctl = ctypes.CDLL(None, use_errno=True).prctl


def take_in_orphans() -> None:
    """Descendants that lose their parent become children of this process."""
    if prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def end_with_parent() -> None:
    """In a new process: it is ended when these tests are killed."""
    prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
    return found


def descendants(pid: int) -> list[int]:
    """Parents before their children."""
    found = children(pid)
    for child in found:
        found += children(child)
    return found


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def command_line(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    return []


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def kill(pids: list[int]) -> None:
    """At once: stopped first, so that none sees the others go."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


class Service:
    """A process with its log in a file."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                arguments, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=end_with_parent,
            )

    def check(self) -> None:
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.last_words()}")

    def last_words(self, lines: int = 60) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30) -> None:
        below = descendants(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        left = [pid for pid in below if is_alive(pid)]
        if self.process.poll() is None:
            left.insert(0, self.process.pid)
        kill(left)
        self.process.wait()


def end_orphans() -> None:
    """Ends what is left of this process's descendants."""
    while True:
        left = [pid for pid in descendants(os.getpid()) if is_alive(pid)]
        kill(left)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not left:
            return


# The cloud


class Emulator:
    """`dagrun emulator`, with VMs that are processes here."""

    def __init__(self, dagrun: str, folder: Path) -> None:
        self.dagrun = dagrun
        folder.mkdir()
        variables = folder / "environment"
        self.service = Service(
            "emulator",
            [dagrun, "emulator", "start", "--folder", str(folder / "cloud"), "--environment-file", str(variables)],
            dict(os.environ), folder,
        )
        wait_for("the emulator", lambda: variables.exists() and variables.stat().st_size, self.service.check)
        lines = variables.read_text().splitlines()
        self.environment = dict(line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
        self.environment = {name: value.strip("'\"") for name, value in self.environment.items()}
        self.address = "http://" + self.environment["PUBSUB_EMULATOR_HOST"]

    def inventory(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.address}/emulator/inventory", timeout=30) as answer:
            return json.load(answer)

    def what_is_left(self) -> dict[str, Any]:
        kinds = ("instanceTemplates", "instanceGroupManagers", "instances", "topics", "subscriptions")
        inventory = self.inventory()
        return {kind: inventory[kind] for kind in kinds if inventory[kind]}

    def instances_ever(self) -> int:
        """How many VMs there ever were."""
        return int(self.inventory()["everMade"].get("instances", 0))


# The database


def postgres_program(name: str) -> str | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    return next((str(path / name) for path in folders if (path / name).exists()), None) or shutil.which(name)


class PostgreSQL:
    """A cluster of its own on loopback. It does not run as root: then it is the user postgres's, or nobody's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            users = {user.pw_name: user for user in pwd.getpwall()}
            user = users.get("postgres") or users["nobody"]
            os.chown(folder, user.pw_uid, user.pw_gid)
            self._as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig=TERM", "--"]
        self.data = folder / "data"
        made = subprocess.run(
            [
                *self._as_user, str(postgres_program("initdb")), "--no-sync", "--auth=trust", "--username=airflow",
                "--encoding=UTF8", "--locale=C.UTF-8", "-D", str(self.data),
            ],
            capture_output=True, text=True, cwd=folder, check=False,
        )
        assert made.returncode == 0, made.stderr
        self.service = self._start()

    def _start(self) -> Service:
        # Another process may take the port meanwhile.
        for _ in range(5):
            self.port = free_port()
            service = Service(
                "postgres",
                [
                    *self._as_user, str(postgres_program("postgres")), "-D", str(self.data), "-k", str(self.folder),
                    "-c", "listen_addresses=127.0.0.1", "-p", str(self.port), "-c", "fsync=off",
                    "-c", "max_connections=200",
                ],
                dict(os.environ), self.folder,
            )
            try:
                wait_for("PostgreSQL", self._answers, service.check)
                return service
            except AssertionError:
                service.stop(signal.SIGQUIT)
        raise AssertionError(service.last_words())

    def _answers(self) -> bool:
        import psycopg2

        try:
            psycopg2.connect(self.dsn("postgres")).close()
            return True
        except psycopg2.OperationalError:
            return False

    def dsn(self, database: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=airflow dbname={database}"

    def make_database(self, name: str) -> str:
        """The name that SQLAlchemy knows it by."""
        import psycopg2

        connection = psycopg2.connect(self.dsn("postgres"))
        connection.autocommit = True
        connection.cursor().execute(f'CREATE DATABASE "{name}"')
        connection.close()
        return f"postgresql+psycopg2://airflow@127.0.0.1:{self.port}/{name}"


# The broker of Celery


class Redis:
    """A server of its own on loopback, which keeps nothing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.port = free_port()
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(folder)]
        self.service = Service("redis", ["redis-server", *options], dict(os.environ), folder)
        wait_for("Redis", self._answers, self.service.check)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(100).startswith(b"+PONG")
        except OSError:
            return False


# Airflow


class Airflow:
    """An Airflow with a home of its own: its commands, and a scheduler with LocalExecutor, or with a worker of Celery."""

    def __init__(
        self, folder: Path, postgres: PostgreSQL, name: str, environment: dict[str, str], redis: Redis | None = None
    ) -> None:
        self.folder = folder
        self.name = name
        self._worker: Service | None = None
        for part in ("dags", "plugins"):
            (folder / part).mkdir(parents=True)
        self.postgres = postgres
        self.database = name
        self.services: list[Service] = []
        url = postgres.make_database(name)
        bin_folder = str(Path(sys.executable).parent)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            "PATH": bin_folder + os.pathsep + os.environ.get("PATH", ""),
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(folder / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor" if redis else "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__FERNET_KEY": "",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
            # How soon a worker that was killed is missed. A loaded machine must not take a slow one for dead.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "25",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
            "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "25",
            "AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "3",
            "AIRFLOW__SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC": "2",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "True",
            # Several Airflows run beside each other on two cores: its own five seconds are not enough for its API then.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            # The first look at a Swift file compiles it.
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "150",
            "AIRFLOW__CORE__DAG_FILE_PROCESSOR_TIMEOUT": "180",
            "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "180",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__API_AUTH__JWT_SECRET": "of these tests, and of nothing else; sixty-four bytes long or so",
            "AIRFLOW__API__SECRET_KEY": "of these tests",
            "AIRFLOW__WEBSERVER__SECRET_KEY": "of these tests",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            # Signals of tests to the jobs of this Airflow.
            "DAGRUN_TEST_SIGNALS": f"{environment['STORAGE_EMULATOR_HOST']}/storage/v1/b/signals/o/{name}-",
            **environment,
        }
        self.redis = redis
        if redis:
            self.environment["AIRFLOW__CELERY__BROKER_URL"] = f"redis://127.0.0.1:{redis.port}/0"
            self.environment["AIRFLOW__CELERY__RESULT_BACKEND"] = f"db+{url}"
        if IS_AIRFLOW_3:
            # Its processes ask the API server, which has to be there first.
            self.api_port = free_port()
            self.environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] = f"http://127.0.0.1:{self.api_port}/execution/"
            self.environment["AIRFLOW__API__BASE_URL"] = f"http://127.0.0.1:{self.api_port}"
        self.run("db", "migrate")

    def run(self, *arguments: str, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
        """A command to its end, which has to be a good one."""
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments], env=self.environment, cwd=self.folder, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=seconds or PATIENCE_SECONDS, check=False,
        )
        tail = "\n".join(done.stdout.splitlines()[-80:])
        assert done.returncode == 0, f"airflow {' '.join(arguments)} ended with {done.returncode}:\n{tail}"
        return done

    def start(self) -> None:
        """The processes of a real Airflow."""
        if IS_AIRFLOW_3:
            self._service("api-server", "--host", "127.0.0.1", "--port", str(self.api_port), "--workers", "1")
            wait_for("Airflow's API server", self._api_answers, self.check)
            self._service("dag-processor")
        self._service("scheduler", "--skip-serve-logs")
        self._service("triggerer", "--skip-serve-logs")
        self._begin_worker()

    def _service(self, name: str, *arguments: str) -> Service:
        words = [sys.executable, "-m", "airflow", *name.split(), *arguments]
        self.services.append(Service(name, words, self.environment, self.folder))
        return self.services[-1]

    def _begin_worker(self) -> None:
        if self.redis:
            self._worker = self._service("celery worker", "--concurrency", "8", "--skip-serve-logs")

    def replace_worker(self, sparing: list[int]) -> None:
        """As when its machine is lost: all of it is killed at once, but for some processes. Another one takes its place."""
        if not self._worker:
            return
        worker = self._worker
        self.services.remove(worker)
        kill([pid for pid in [worker.process.pid, *descendants(worker.process.pid)] if pid not in sparing])
        worker.process.wait()
        self._begin_worker()

    def _api_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.api_port}/api/v2/version", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def check(self) -> None:
        for service in self.services:
            service.check()

    def stop(self) -> None:
        # All at once, for each takes its time.
        for service in self.services:
            if service.process.poll() is None:
                service.process.terminate()
        for service in self.services:
            service.stop()
        self.services = []

    # What Airflow knows, by its database.

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        import psycopg2

        connection = psycopg2.connect(self.postgres.dsn(self.database))
        try:
            cursor = connection.cursor()
            cursor.execute(sql, values)
            found = cursor.fetchall()
            connection.commit()
            return found
        finally:
            connection.close()

    def run_state(self, dag: str, kind: str = "scheduled") -> str | None:
        """Of its one run: what the scheduler made, or (`manual`) `dags test`."""
        found = self.rows("SELECT state FROM dag_run WHERE dag_id = %s AND run_type = %s", dag, kind)
        assert len(found) < 2, f"{dag} ran {len(found)} times"
        return found[0][0] if found else None

    def tasks(self, dag: str, kind: str = "scheduled") -> dict[str, dict[str, Any]]:
        """By task: its state, try number, and the process that runs it."""
        found = self.rows(
            "SELECT ti.task_id, ti.state, ti.try_number, ti.pid FROM task_instance ti JOIN dag_run r"
            " ON r.dag_id = ti.dag_id AND r.run_id = ti.run_id WHERE ti.dag_id = %s AND r.run_type = %s", dag, kind)
        return {task: {"state": state, "try_number": number, "pid": pid} for task, state, number, pid in found}

    def import_errors(self) -> str:
        return "\n".join(row[0] for row in self.rows("SELECT stacktrace FROM import_error"))

    def task_logs(self, dag: str, task: str = "*") -> str:
        """What the tasks of a DAG wrote, the latest last."""
        pattern = f"dag_id={dag}/run_id=*/task_id={task}/**/*.log"
        logs = sorted((self.folder / "logs").glob(pattern), key=lambda path: path.stat().st_mtime)
        return "\n".join(f"--- {path.relative_to(self.folder)}\n{path.read_text(errors='replace')}" for path in logs)

    def take_report(self, name: str) -> str:
        """What a DAG of these tests wrote for them, once."""
        path = Path(self.environment["DAGRUN_TEST_REPORTS"]) / name
        text = path.read_text()
        path.unlink()
        return text

    def wait_for_end(self, dag: str) -> str:
        """The state in which its run ended."""
        def look() -> str | None:
            state = self.run_state(dag)
            return state if state in ("success", "failed") else None

        def alive() -> None:
            self.check()
            errors = self.import_errors()
            assert not errors, errors

        try:
            return wait_for(f"the end of {dag}", look, alive)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.report(dag)}") from None

    def report(self, dag: str, kind: str = "scheduled") -> str:
        tasks = self.tasks(dag, kind)
        lines = [f"{dag}: {self.run_state(dag, kind)}", *(f"  {name}: {what}" for name, what in tasks.items())]
        logs = "\n".join(self.task_logs(dag).splitlines()[-120:])
        services = "\n".join(f"--- {service.name}\n{service.last_words(25)}" for service in self.services)
        return "\n".join(lines) + f"\n{logs}\n{services}"


@contextlib.contextmanager
def started(airflow: Airflow) -> Iterator[Airflow]:
    try:
        airflow.start()
        yield airflow
    finally:
        airflow.stop()
