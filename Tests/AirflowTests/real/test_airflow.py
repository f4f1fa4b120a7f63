"""The plugin in real Airflow: `airflow dags test`, and a scheduler with LocalExecutor, and with a worker of Celery."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import world

# One cloud, one database server and one Airflow for all of these tests.


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    # Not pytest's own: the user of PostgreSQL has to get there.
    path = Path(tempfile.mkdtemp(prefix="dagrun-airflow-"))
    path.chmod(0o755)
    world.take_in_orphans()
    # What is begun here is ended here, also when somebody else ends the tests.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield path
    world.end_orphans()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def emulator(real_binary: str, folder: Path) -> Iterator[world.Emulator]:
    emulator = world.Emulator(real_binary, folder / "emulator")
    yield emulator
    emulator.service.stop()


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[world.PostgreSQL]:
    if not world.postgres_program("initdb"):
        pytest.skip("SKIPPED, NOT TESTED: there is no PostgreSQL, by which Airflow runs several tasks at once: "
                    "scripts/install-packages")
    postgres = world.PostgreSQL(folder / "postgres")
    yield postgres
    postgres.service.stop(signal.SIGINT)


@pytest.fixture(scope="session")
def redis(folder: Path) -> Iterator[world.Redis]:
    if not shutil.which("redis-server") or not importlib.util.find_spec("airflow.providers.celery"):
        pytest.skip("SKIPPED, NOT TESTED: there is no Redis, or no Celery in this Airflow: scripts/install-airflow")
    redis = world.Redis(folder / "redis")
    yield redis
    redis.service.stop()


@pytest.fixture(scope="session")
def make_airflow(
    real_binary: str, folder: Path, emulator: world.Emulator, postgres: world.PostgreSQL
) -> Callable[..., world.Airflow]:
    def make(name: str, redis: world.Redis | None = None) -> world.Airflow:
        home = folder / name
        reports = folder / f"reports of {name}"
        reports.mkdir()
        environment = {
            **emulator.environment,
            "DAGRUN_TEST_REPORTS": str(reports),
            "DAGRUN_DAGS_FOLDER": str(home / "swift" / "dags"),
            # On an emulator nothing takes as long as on Google.
            "DAGRUN_JOB_TIMINGS": '{"graceSeconds": 2, "firstLookSeconds": 0.3, "logGraceSeconds": 2}',
            "GOOGLE_CLOUD_PROJECT": f"{name}-tests",
        }
        airflow = world.Airflow(home, postgres, name, environment, redis)
        plugin = home / "plugins" / "dagrun_plugin.py"
        subprocess.run([real_binary, "airflow-plugin", "-o", str(plugin), "--binary", real_binary], check=True)
        here = Path(__file__).parent
        shutil.copytree(here / "swift", home / "swift", dirs_exist_ok=True)
        for dag in (here / "dags").glob("*.py"):
            shutil.copy(dag, home / "dags")
        airflow.rows(
            "INSERT INTO connection (conn_id, conn_type, extra, is_encrypted, is_extra_encrypted)"
            " VALUES ('robot', 'google_cloud_platform', '{}', false, false) RETURNING 1")
        return airflow

    return make


@pytest.fixture(scope="session")
def airflow(make_airflow: Callable[..., world.Airflow]) -> Iterator[world.Airflow]:
    """With the plugin that this binary writes, and the DAGs of these tests; nothing is started."""
    airflow = make_airflow("airflow")
    yield airflow
    airflow.stop()


# Celery in one Airflow: its executor is of a provider, which is the same in all of them.
EXECUTORS = ["LocalExecutor", *(["CeleryExecutor"] if world.IS_NEWEST else [])]


@pytest.fixture(scope="session", params=EXECUTORS)
def running_airflow(request: pytest.FixtureRequest, make_airflow: Callable[..., world.Airflow]) -> Iterator[world.Airflow]:
    if request.param == "LocalExecutor":
        airflow = request.getfixturevalue("airflow")
    else:
        airflow = make_airflow("celery", request.getfixturevalue("redis"))
    with world.started(airflow):
        yield airflow


def check_what_was_handed_on(airflow: world.Airflow, kind: str) -> None:
    """What the tasks of `jobs` returned."""
    values = json.loads((Path(airflow.environment["DAGRUN_TEST_REPORTS"]) / f"jobs-{kind}.json").read_text())
    assert values["job"]["exit_status"] == 0 and values["job"]["output"] == {"answer": 42}, values["job"]
    assert values["deferred"]["exit_status"] == 0, values["deferred"]
    assert [job["output"] for job in values["group"]] == [0, 1], values["group"]
    assert values["swift_run"]["state"] == "success", values["swift_run"]


def finished(airflow: world.Airflow, dag: str, kind: str) -> None:
    assert airflow.run_state(dag, kind) == "success", airflow.report(dag, kind)
    states = {task: what["state"] for task, what in airflow.tasks(dag, kind).items()}
    assert set(states.values()) == {"success"}, states


def machine_names(emulator: world.Emulator) -> list[str]:
    return [instance["name"].rsplit("/", 1)[1] for instance in emulator.inventory()["instances"]]


# `airflow dags test`


def test_airflow_itself_runs_a_task(airflow: world.Airflow) -> None:
    airflow.run("dags", "test", "plain")
    finished(airflow, "plain", "manual")


def test_dags_test_runs_every_operator(airflow: world.Airflow, emulator: world.Emulator) -> None:
    before = emulator.instances_ever()
    airflow.run("dags", "test", "jobs")
    finished(airflow, "jobs", "manual")
    check_what_was_handed_on(airflow, "manual")
    assert emulator.instances_ever() - before == 4
    assert emulator.what_is_left() == {}


def test_dags_test_runs_a_swift_dag(airflow: world.Airflow, emulator: world.Emulator) -> None:
    airflow.run("dags", "test", "mixed")
    finished(airflow, "mixed", "manual")
    assert airflow.take_report("mixed") == "6"
    assert emulator.what_is_left() == {}


# By signals, also where the task waits without a triggerer


ENDINGS = {"sigint": signal.SIGINT, "sigterm": signal.SIGTERM, "sigkill": signal.SIGKILL, "own_sigint": signal.SIGINT}


def test_a_test_of_a_dag_that_is_ended_leaves_a_job_only_where_it_is_killed(
    airflow: world.Airflow, emulator: world.Emulator, real_binary: str
) -> None:
    names = [f"{place}_{ending}" for place in ("worker", "triggerer") for ending in ENDINGS]
    environment = {**airflow.environment, "DAGRUN_TEST_ENDINGS": " ".join(ENDINGS)}

    def begin(name: str) -> world.Service:
        # Some by dag.test(), the others by `airflow dags test`.
        command = [f"{airflow.folder}/dags/ended.py", f"ended_{name}"]
        if not name.endswith("_own_sigint"):
            command = ["-m", "airflow", "dags", "test", f"ended_{name}"]
        return world.Service(f"test of {name}", [sys.executable, *command], environment, airflow.folder)

    def has_begun(name: str) -> bool:
        return "begun" in tests[name].log.read_text(errors="replace")

    def left() -> set[str]:
        found = machine_names(emulator)
        return {name for name in names if any(machine.startswith(name.replace("_", "-")) for machine in found)}

    tests: dict[str, world.Service] = {}
    try:
        # One after the other: Airflow 3.3 writes all DAGs of the folder first, and two that do so run into a deadlock.
        for name in names:
            tests[name] = begin(name)
            world.wait_for(f"the job of {name}", lambda name=name: has_begun(name), tests[name].check)
        for name, service in tests.items():
            service.process.send_signal(ENDINGS[name.split("_", 1)[1]])
        for name, service in tests.items():
            world.wait_for(f"the end of the test of {name}", lambda service=service: service.process.poll() is not None)
        killed = {name for name in names if name.endswith("_sigkill")}
        world.wait_for("the machines of those that were ended to go", lambda: left() <= killed)
        assert left() == killed, "a job did not outlive a process that was killed"
        world.wait_for("the programs of those that were killed to let go", lambda: not any(map(dagrun_of, killed)))
    except AssertionError as error:
        words = "\n".join(f"--- {name}\n{service.last_words(30)}" for name, service in tests.items())
        raise AssertionError(f"{error}\n{words}") from None
    finally:
        for service in tests.values():
            service.stop(signal.SIGKILL)
    # What nobody comes back for is ended as docs/airflow.md says.
    for group in emulator.inventory()["instanceGroupManagers"]:
        job = group.rsplit("/", 1)[1].rsplit("-", 1)[0]
        subprocess.run(
            [real_binary, "job", "cancel", job, "--project", airflow.environment["GOOGLE_CLOUD_PROJECT"]],
            env={**airflow.environment, "DAGRUN_HOME": f"{airflow.folder}/dagrun"}, cwd=airflow.folder, check=True,
        )
    assert emulator.what_is_left() == {}


# A scheduler with each executor


def test_a_scheduler_runs_every_operator(running_airflow: world.Airflow, emulator: world.Emulator) -> None:
    airflow = running_airflow
    for dag in ("plain", "jobs", "mixed"):
        airflow.wait_for_end(dag)
        finished(airflow, dag, "scheduled")
    check_what_was_handed_on(airflow, "scheduled")
    assert airflow.take_report("mixed") == "6"
    assert "hello jobs" in airflow.task_logs("jobs", "job"), "the job's log is not in the task's"
    assert emulator.what_is_left() == {}


def dagrun_of(task: str) -> list[int]:
    """The processes, of these tests, that run the job of a task of `killed`."""
    name = task.replace("_", "-")
    return [
        pid for pid in world.descendants(os.getpid())
        if "run" in world.command_line(pid) and any(word.startswith(name) for word in world.command_line(pid))
        and world.is_alive(pid)
    ]


def signal_to(airflow: world.Airflow, emulator: world.Emulator, name: str) -> None:
    """Lets jobs end that wait for it."""
    query = f"uploadType=media&name={airflow.name}-{name}"
    request = urllib.request.Request(
        f"{emulator.address}/upload/storage/v1/b/signals/o?{query}", data=b"go", method="POST")
    urllib.request.urlopen(request, timeout=30).close()


def test_a_job_outlives_its_worker_and_the_next_try_adopts_it(
    running_airflow: world.Airflow, emulator: world.Emulator
) -> None:
    airflow = running_airflow
    before = emulator.instances_ever()
    airflow.run("dags", "unpause", "killed")

    def begun(task: str) -> Any:
        airflow.check()
        return "begun" in airflow.task_logs("killed", task) and dagrun_of(task)

    # Both are in mid-job. One loses its worker, its task's process and dagrun with it; of the other, dagrun is left.
    (still_runs,) = world.wait_for("the job of still_runs", lambda: begun("still_runs"))
    (has_ended,) = world.wait_for("the job of has_ended", lambda: begun("has_ended"))
    if world.IS_AIRFLOW_3:
        links = airflow.rows("SELECT value FROM xcom WHERE task_id = 'still_runs' AND key = '_link_JobLogLink'")
        assert "console.cloud.google.com/logs" in str(links), "the task's page has no link to its log yet"
    tasks = {pid: world.parent(pid) for pid in (still_runs, has_ended)}
    world.kill([
        world.parent(tasks[still_runs]), tasks[still_runs], still_runs, *world.descendants(still_runs),
        world.parent(tasks[has_ended]), tasks[has_ended],
    ])
    airflow.replace_worker(sparing=[has_ended])
    world.wait_for("dagrun to leave", lambda: not world.is_alive(has_ended))
    # This job ends while nobody looks.
    signal_to(airflow, emulator, "has_ended")

    def second_try(task: str) -> Any:
        airflow.check()
        return airflow.tasks("killed")[task]["try_number"] == 2 and dagrun_of(task)

    try:
        world.wait_for("the second try of still_runs", lambda: second_try("still_runs"))
    except AssertionError as error:
        raise AssertionError(f"{error}\n{airflow.report('killed')}") from None
    signal_to(airflow, emulator, "still_runs")
    airflow.wait_for_end("killed")
    finished(airflow, "killed", "scheduled")
    assert {task: what["try_number"] for task, what in airflow.tasks("killed").items()} == {
        "still_runs": 2, "has_ended": 2}
    assert emulator.instances_ever() - before == 2, "a job was begun anew"
    assert emulator.what_is_left() == {}


# Tasks that are cleared in mid-job, in a worker and in the triggerer


def machines(emulator: world.Emulator) -> dict[str, str]:
    """By what the test calls the task: the machine of its job."""
    return {name.split("-")[1]: name for name in machine_names(emulator) if name.startswith("cleared-")}


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
        if world.AIRFLOW_VERSION.startswith("3.0."):
            # Its scheduler takes no task of any kind out of the state `restarting`; 3.1 does.
            world.wait_for("the old machines to go", lambda: not set(first.values()) & set(machines(emulator).values()))
            assert airflow.tasks("cleared")["works"]["state"] == "restarting"
            airflow.run("tasks", "clear", "--yes", "--task-regex", "works", "cleared")
        world.wait_for("the machines of the next tries", renewed)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{airflow.report('cleared')}") from None
    signal_to(airflow, emulator, "cleared")
    assert airflow.wait_for_end("cleared") == "success", airflow.report("cleared")
    # Other DAGs of these tests may run beside it.
    assert machines(emulator) == {}


# Tasks that time out, and tasks that a person marks, in mid-job


@pytest.mark.parametrize("running_airflow", EXECUTORS[:1], indirect=True, scope="session")
def test_a_task_that_is_ended_in_mid_job_leaves_nothing(
    running_airflow: world.Airflow, emulator: world.Emulator
) -> None:
    airflow = running_airflow
    world.wait_for("the DAG", lambda: airflow.rows("SELECT 1 FROM dag WHERE dag_id = 'ended'"), airflow.check)
    airflow.run("dags", "unpause", "ended")
    marked = {f"{place}_{state}": state for place in ("worker", "triggerer") for state in ("failed", "success", "skipped")}
    timed = ["worker_timeout", "triggerer_timeout"]

    def begun() -> bool:
        airflow.check()
        return all("begun" in airflow.task_logs("ended", task) for task in marked)

    def states() -> dict[str, str]:
        return {task: what["state"] for task, what in airflow.tasks("ended").items()}

    def ended() -> bool:
        airflow.check()
        return not left() and {**marked, **dict.fromkeys(timed, "failed")} == states()

    def left() -> list[str]:
        return [name for name in machine_names(emulator) if name.startswith(("worker-", "triggerer-"))]

    try:
        world.wait_for("all jobs", begun)
        # As Airflow's page does it; a worker and the triggerer see the state alone.
        for task, state in marked.items():
            assert airflow.rows(
                "UPDATE task_instance SET state = %s, end_date = now() WHERE dag_id = 'ended' AND task_id = %s RETURNING 1",
                state, task) == [(1,)]
        world.wait_for("all machines to go", ended)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{states()} {left()}\n{airflow.report('ended')}") from None
    for task in timed:
        assert "timed out" in airflow.task_logs("ended", task).lower() or "timeout" in airflow.task_logs("ended", task)
