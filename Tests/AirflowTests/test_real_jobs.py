"""Jobs by the real program, against `dagrun emulator`: nothing here is played."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_jobs import Instance, context, run

CONFIG = {"project": "demo", "image": "debian:stable-slim"}


class Cloud:
    """An emulator, and the variables that lead to it."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.folder = folder
        self.binary = binary
        file = folder / "cloud.env"
        self.log = open(folder / "emulator.log", "wb")
        self.process = subprocess.Popen(
            [binary, "emulator", "--port", "0", "--folder", str(folder / "cloud"), "--environment-file", str(file)],
            stdout=self.log,
            stderr=self.log,
        )
        end = time.monotonic() + 60
        while not file.exists() or "PUBSUB_EMULATOR_HOST" not in file.read_text():
            assert self.process.poll() is None, (folder / "emulator.log").read_text()
            assert time.monotonic() < end, "the emulator does not begin"
            time.sleep(0.05)
        self.variables = dict(re.findall(r"^(?:export )?(\w+)=(.*)$", file.read_text(), re.MULTILINE))

    def inventory(self) -> dict:
        address = f"http://{self.variables['PUBSUB_EMULATOR_HOST']}/emulator/inventory"
        with urllib.request.urlopen(address, timeout=30) as answer:
            return json.load(answer)

    def is_empty(self) -> bool:
        done = subprocess.run(
            [self.binary, "emulator", "inventory", "--empty"],
            env={**os.environ, **self.variables},
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        finally:
            self.log.close()


@pytest.fixture(scope="module")
def emulator(real_binary, tmp_path_factory):
    cloud = Cloud(real_binary, tmp_path_factory.mktemp("cloud"))
    yield cloud
    cloud.stop()


@pytest.fixture
def cloud(emulator, monkeypatch, tmp_path):
    monkeypatch.setenv("DAGRUN_BINARY", emulator.binary)
    monkeypatch.setenv("DAGRUN_HOME", str(tmp_path / "home"))
    for name, value in emulator.variables.items():
        monkeypatch.setenv(name, value)
    yield emulator
    assert emulator.is_empty(), emulator.inventory()


def wait_until_empty(cloud) -> None:
    end = time.monotonic() + 90
    while not cloud.is_empty():
        assert time.monotonic() < end, cloud.inventory()
        time.sleep(0.2)


def machines_ever(cloud) -> int:
    return cloud.inventory()["everMade"].get("instances", 0)


def listen(operator, act=lambda line: None) -> list[str]:
    """What a task logs; `act` is called with each line."""
    said: list[str] = []

    def say(text, *values):
        said.append(text % values)
        act(said[-1])

    log = SimpleNamespace(info=say, warning=say, error=say)
    operator._log = operator._cached_logger = log  # of Airflow 2 and of Airflow 3
    return said


def operator_of(plugin, cmd, **values):
    values = {"job_config": CONFIG, "task_id": "train", **values}
    return plugin.ComputeEngineJobOperator(cmd=cmd, **values)


def test_a_jobs_log_is_live_and_its_result_is_returned(plugin, cloud):
    operator = operator_of(
        plugin,
        'echo "it\'s $WORD"; sleep 3; echo "{\\"rows\\": 3}" > $DAGRUN_OUTPUT; echo done',
        env_vars={"WORD": "{{ ds }}\nand a $line"},
        gcs_target=None,
    )
    times: dict[str, float] = {}
    said = listen(operator, lambda line: times.setdefault(line, time.monotonic()))
    value = run(operator)
    ended = time.monotonic()
    assert value["exit_status"] == 0
    assert value["output"] == {"rows": 3}
    assert value["attempts"] == 1
    assert value["left_behind"] == []
    assert value["duration_seconds"] >= 3
    assert value["job"].startswith("nightly-models-train-large-")
    assert value["job"].endswith("-1")
    assert said.index("it's 2026-01-31") < said.index("and a $line") < said.index("done")
    assert ended - times["it's 2026-01-31"] > 1, "the log came at the end only"
    json.dumps(value)


def test_the_programs_failure_is_told(plugin, cloud):
    with pytest.raises(plugin.AirflowException, match="ended with status 3(.|\n)*no such model") as error:
        run(operator_of(plugin, "echo no such model; exit 3"))
    assert not isinstance(error.value, plugin.AirflowFailException)


def test_the_next_try_after_a_failure_is_a_new_job(plugin, cloud):
    before = machines_ever(cloud)
    with pytest.raises(plugin.AirflowException):
        run(operator_of(plugin, "exit 3"), try_number=1, max_tries=1)
    assert run(operator_of(plugin, "echo fine"), try_number=2, max_tries=1)["job"].endswith("-2")
    assert machines_ever(cloud) - before == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"job_config": {**CONFIG, "provisioning": "cheap"}}, "provisioning"),
        ({"job_config": {**CONFIG, "zone_typo": 1}}, "zone_typo"),
        ({"job_config": {**CONFIG, "image": "No Image"}}, "image"),
        ({"gcs_target": {"relative": "bucket/x"}}, "relative"),
    ],
)
def test_a_wrong_job_is_refused_for_good_and_nothing_is_begun(plugin, cloud, arguments, said):
    before = machines_ever(cloud)
    with pytest.raises(plugin.AirflowFailException, match=said):
        run(operator_of(plugin, "true", **arguments))
    assert machines_ever(cloud) == before


HOLDER = """
import sys
sys.path.insert(0, sys.argv[1])
import dagrun_plugin
class Instance:
    dag_id, task_id, run_id, map_index, try_number, max_tries = "Nightly_Models", "train.large", "manual__1", -1, 1, 3
    def xcom_push(self, key, value): pass
operator = dagrun_plugin.ComputeEngineJobOperator(
    job_config={"project": "demo", "image": "debian:stable-slim"}, cmd=sys.argv[2], task_id="train")
class Log:
    def info(self, text, *values): print(text % values, flush=True)
    warning = error = info
operator._log = operator._cached_logger = Log()
operator.execute({"ti": Instance()})
"""


ON_TERM = """
import signal
signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
"""


def killed_in_mid_job(plugin, cmd):
    """A worker that is killed with -9 once its job has said that it began."""
    worker = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(Path(plugin.__file__).parent), cmd], stdout=subprocess.PIPE, text=True
    )
    said = []
    for line in worker.stdout:
        said.append(line.strip())
        if line.strip() == "begun":
            break
    worker.kill()
    worker.wait()
    worker.stdout.close()
    assert said[-1:] == ["begun"], said


def test_kill_9_of_the_worker_costs_no_second_machine(plugin, cloud):
    before = machines_ever(cloud)
    cmd = "echo begun; sleep 6; echo 7 > $DAGRUN_OUTPUT; echo over"
    killed_in_mid_job(plugin, cmd)
    operator = operator_of(plugin, cmd)
    said = listen(operator)
    value = run(operator, try_number=2)
    assert value["output"] == 7
    assert value["job"].endswith("-1")
    assert "over" in said
    assert machines_ever(cloud) - before == 1


def test_the_result_of_a_job_that_ended_without_its_worker_is_taken_by_the_next_try(plugin, cloud):
    before = machines_ever(cloud)
    killed_in_mid_job(plugin, "echo begun; sleep 1; echo 8 > $DAGRUN_OUTPUT")
    time.sleep(4)
    assert run(operator_of(plugin, "echo this is never run"), try_number=2)["output"] == 8
    assert machines_ever(cloud) - before == 1


def test_kill_9_of_the_worker_of_another_home_costs_no_second_machine(plugin, cloud, monkeypatch, tmp_path):
    before = machines_ever(cloud)
    cmd = "echo begun; sleep 6; echo 7 > $DAGRUN_OUTPUT"
    killed_in_mid_job(plugin, cmd)
    monkeypatch.setenv("DAGRUN_HOME", str(tmp_path / "another-home"))
    assert run(operator_of(plugin, cmd), try_number=2)["output"] == 7
    assert machines_ever(cloud) - before == 1


@pytest.mark.parametrize("is_ended_by_airflow", [False, True])
def test_a_frozen_worker_that_comes_back_neither_takes_nor_cancels_the_job(plugin, cloud, is_ended_by_airflow):
    before = machines_ever(cloud)
    cmd = "echo begun; sleep 8; echo 7 > $DAGRUN_OUTPUT"
    worker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLDER.replace("operator.execute", ON_TERM + "operator.execute"),
            str(Path(plugin.__file__).parent),
            cmd,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert any(line.strip() == "begun" for line in worker.stdout)
    worker.send_signal(signal.SIGSTOP)
    if is_ended_by_airflow:
        worker.send_signal(signal.SIGTERM)
    operator = operator_of(plugin, cmd)
    listen(operator, lambda line: worker.send_signal(signal.SIGCONT) if line.startswith("continuing with job") else None)
    value = run(operator, try_number=2)
    assert value["output"] == 7
    assert value["job"].endswith("-1")
    worker.stdout.read()
    assert worker.wait(60) != 0
    worker.stdout.close()
    assert machines_ever(cloud) - before == 1


def test_a_pod_brings_nothing_but_the_plugins_folder_and_the_next_one_adopts_its_job(plugin, cloud, tmp_path):
    """As with KubernetesExecutor: each try has a home of its own, and no program but the one beside the plugin."""
    before = machines_ever(cloud)
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    command = [cloud.binary, "airflow-plugin", "--bundle-binary", "-o", str(plugins / "dagrun_plugin.py")]
    subprocess.run(command, check=True, capture_output=True)
    cmd = "echo begun; sleep 8; echo 7 > $DAGRUN_OUTPUT"

    def pod(number):
        script = HOLDER.replace("-1, 1, 3", f"-1, {number}, 3").replace("operator.execute", "value = operator.execute")
        return subprocess.Popen(
            [sys.executable, "-c", script + "print(value)", str(plugins), cmd],
            env={"PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(tmp_path / f"pod-{number}"), **cloud.variables},
            stdout=subprocess.PIPE,
            text=True,
        )

    first = pod(1)
    assert any(line.strip() == "begun" for line in first.stdout)
    first.kill()
    first.wait()
    first.stdout.close()
    said, _ = pod(2).communicate(timeout=120)
    assert "'output': 7" in said, said
    assert machines_ever(cloud) - before == 1


def test_a_connections_key_reaches_the_program(plugin, cloud, monkeypatch):
    """The emulator knows no keys: that one is read is seen by what is wrong with it."""
    key = {"type": "no_such_type"}
    extra = {"extra": {"keyfile_dict": json.dumps(key)}}
    monkeypatch.setenv("AIRFLOW_CONN_ROBOT", json.dumps({"conn_type": "google_cloud_platform", **extra}))
    with pytest.raises(plugin.AirflowException, match="no_such_type") as error:
        run(operator_of(plugin, "true", gcp_conn_id="robot"))
    assert not isinstance(error.value, plugin.AirflowFailException)


def test_maintenance_removes_what_another_home_has_left(plugin, cloud, monkeypatch, tmp_path):
    killed_in_mid_job(plugin, "echo begun; sleep 300")
    monkeypatch.setenv("DAGRUN_HOME", str(tmp_path / "another-home"))
    kept = plugin.DagrunMaintenanceOperator(task_id="collect", project="demo", older_than=None)
    assert kept.execute({}) == []
    assert not cloud.is_empty()
    removed = plugin.DagrunMaintenanceOperator(task_id="collect", project="demo", older_than="0").execute({})
    assert {"instance group", "topic", "subscription"} <= {resource["kind"] for resource in removed}
    assert cloud.is_empty()


def test_a_cancelled_job_leaves_nothing_and_the_next_try_begins_anew(plugin, cloud):
    before = machines_ever(cloud)
    operator = operator_of(plugin, "echo begun; sleep 300")

    def on_term(*_):
        operator.on_kill()

    signals = signal.signal(signal.SIGTERM, on_term)
    said = listen(operator, lambda line: os.kill(os.getpid(), signal.SIGTERM) if line == "begun" else None)
    try:
        with pytest.raises(plugin.AirflowException, match="Airflow ended the task"):
            run(operator)
    finally:
        signal.signal(signal.SIGTERM, signals)
    assert said[-1].endswith("is cancelled; nothing is left")
    assert cloud.is_empty()
    assert run(operator_of(plugin, "echo fine"), try_number=2)["exit_status"] == 0
    assert machines_ever(cloud) - before == 2


def killed_while_it_cancels(plugin, cmd):
    """A worker, as Airflow 3 ends it: SIGTERM, five seconds, SIGKILL. The process that continues with the removal."""
    worker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLDER.replace("operator.execute", ON_TERM + "operator.execute"),
            str(Path(plugin.__file__).parent),
            cmd,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    line = ""
    for line in worker.stdout:
        if line.strip() == "begun":
            worker.send_signal(signal.SIGTERM)
        if "cancelling job" in line:
            worker.kill()
            break
    worker.wait()
    worker.stdout.close()
    return int(re.search(r"process (\d+) removes", line).group(1))


def test_a_worker_that_is_killed_while_it_cancels_leaves_the_removal_to_the_program(plugin, cloud):
    killed_while_it_cancels(plugin, "echo begun; sleep 300")
    wait_until_empty(cloud)
    assert run(operator_of(plugin, "echo fine"), try_number=2)["exit_status"] == 0


def test_the_next_try_waits_for_a_removal_that_takes_its_time(plugin, cloud):
    """Google's takes minutes. A try in the same home waits 30 s for another process that has the job, if it is not that."""
    removing = killed_while_it_cancels(plugin, "echo begun; sleep 300")
    time.sleep(0.5)  # it has noted by then that the job is cancelled
    os.kill(removing, signal.SIGSTOP)
    going_on = threading.Timer(33, os.kill, [removing, signal.SIGCONT])
    going_on.start()
    operator = operator_of(plugin, "echo fine")
    said = listen(operator)
    assert run(operator, try_number=2)["exit_status"] == 0
    assert any("waiting until it leaves" in line for line in said)
    going_on.join()


def test_a_job_is_cancelled_as_soon_as_another_process_leaves_it(plugin, cloud):
    options = ["--name", "held", "--attempt", "1", "--project", "demo", "--image", "debian"]
    command = [cloud.binary, "job", "run", *options, "--", "sleep", "300"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as holder:
        assert any("job held-1 runs on" in line for line in holder.stderr)
        with subprocess.Popen(
            [cloud.binary, "job", "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            watchdog = threading.Timer(60, server.kill)
            watchdog.start()
            for order in ({"attach": "held-1", "project": "demo"}, {"cancel": "held-1"}, {"attach": 0}):
                server.stdin.write(json.dumps(order) + "\n")
            server.stdin.flush()
            events = [json.loads(server.stdout.readline())]
            holder.kill()
            for line in server.stdout:
                events.append(json.loads(line))
                if events[-1]["event"] == "ended":
                    break
            server.stdin.close()
            server.wait()
            watchdog.cancel()
    # Refused is the order that is none, and nothing else.
    assert [event["event"] for event in events if event["event"] in ("refused", "failed")] == ["refused"], events
    assert events[-1]["result"]["ending"] == "cancelled"


def test_a_group_runs_beside_one_another(plugin, cloud):
    operator = plugin.ComputeEngineJobGroupOperator(
        task_id="group",
        name="models",
        job_factory=plugin.JobFactory(CONFIG),
        runtime_specs=[plugin.JobRuntimeSpec(["sh", "-c", f"echo {n} > $DAGRUN_OUTPUT"]) for n in range(3)],
    )
    assert [value["output"] for value in run(operator)] == [0, 1, 2]


def test_a_groups_retry_runs_what_failed_and_nothing_else(plugin, cloud):
    def group(second):
        return plugin.ComputeEngineJobGroupOperator(
            task_id="group",
            name="models",
            job_factory=plugin.JobFactory(CONFIG),
            runtime_specs=[plugin.JobRuntimeSpec("echo 1 > $DAGRUN_OUTPUT"), plugin.JobRuntimeSpec(second)],
        )

    before = machines_ever(cloud)
    with pytest.raises(plugin.AirflowException, match="1 of 2 jobs failed"):
        run(group("exit 1"), try_number=1, max_tries=1)
    assert machines_ever(cloud) - before == 2
    values = run(group("echo 2 > $DAGRUN_OUTPUT"), try_number=2, max_tries=1)
    assert [value["output"] for value in values] == [1, 2]
    assert machines_ever(cloud) - before == 3


# Deferrable.


def deferred_trigger(plugin, operator, **values):
    with pytest.raises(BaseException) as error:
        run(operator, **values)
    assert type(error.value).__name__ == "TaskDeferred", error.value
    path, known = error.value.trigger.serialize()
    trigger = plugin.ComputeEngineJobTrigger(**json.loads(json.dumps(known)))
    trigger.said = listen(trigger)
    return trigger


async def fire(trigger):
    try:
        return [event.payload async for event in trigger.run()]
    finally:
        await trigger.cleanup()


def test_a_deferred_job_is_followed_by_its_trigger(plugin, cloud):
    operator = operator_of(plugin, "echo begun; sleep 3; echo 9 > $DAGRUN_OUTPUT", deferrable=True)
    trigger = deferred_trigger(plugin, operator)
    [event] = asyncio.run(fire(trigger))
    assert "begun" in trigger.said
    assert operator.execute_complete(context(), json.loads(json.dumps(event)))["output"] == 9


def test_a_deferred_job_that_fails_says_why(plugin, cloud):
    operator = operator_of(plugin, "echo no such model; exit 3", deferrable=True)
    [event] = asyncio.run(fire(deferred_trigger(plugin, operator)))
    with pytest.raises(plugin.AirflowException, match="ended with status 3(.|\n)*no such model"):
        operator.execute_complete(context(), event)


async def interrupted(trigger, kills):
    """A triggerer's trigger that is cancelled once its job has begun."""
    trigger.task_instance = Instance()
    task = asyncio.ensure_future(trigger.run().__anext__())
    end = time.monotonic() + 60
    while "begun" not in trigger.said:
        assert time.monotonic() < end, trigger.said
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    if kills:
        await trigger.on_kill()
    await trigger.cleanup()


def test_a_triggerer_that_ends_leaves_the_job_to_the_next_one(plugin, cloud, monkeypatch):
    monkeypatch.setattr(plugin.BaseTrigger, "on_kill", None, raising=False)
    before = machines_ever(cloud)
    operator = operator_of(plugin, "echo begun; sleep 6; echo 9 > $DAGRUN_OUTPUT", deferrable=True)
    trigger = deferred_trigger(plugin, operator)
    asyncio.run(interrupted(trigger, kills=False))
    again = plugin.ComputeEngineJobTrigger(**trigger.serialize()[1])
    again.said = listen(again)
    [event] = asyncio.run(fire(again))
    assert operator.execute_complete(context(), event)["output"] == 9
    assert machines_ever(cloud) - before == 1


def test_a_cleared_deferred_task_removes_its_job(plugin, cloud, monkeypatch):
    monkeypatch.setattr(plugin, "SECONDS_OF_CANCEL", 90)  # on a busy machine too
    trigger = deferred_trigger(plugin, operator_of(plugin, "echo begun; sleep 300", deferrable=True))
    asyncio.run(interrupted(trigger, kills=True))
    assert trigger.said[-1].endswith("is cancelled")
    assert cloud.is_empty()


def test_a_removal_that_takes_longer_than_airflow_waits_goes_on(plugin, cloud, monkeypatch):
    monkeypatch.setattr(plugin, "SECONDS_OF_CANCEL", 0.1)
    trigger = deferred_trigger(plugin, operator_of(plugin, "echo begun; sleep 300", deferrable=True))
    asyncio.run(interrupted(trigger, kills=True))
    assert any(line.startswith("not removed yet: ") for line in trigger.said)
    wait_until_empty(cloud)


def test_a_triggerer_that_is_killed_leaves_the_job(plugin, cloud, tmp_path):
    operator = operator_of(plugin, "echo begun; sleep 6; echo 9 > $DAGRUN_OUTPUT", deferrable=True)
    trigger = deferred_trigger(plugin, operator)
    script = """
import asyncio, json, sys
sys.path.insert(0, sys.argv[1])
import dagrun_plugin
class Log:
    def info(self, text, *values): print(text % values, flush=True)
    warning = error = info
trigger = dagrun_plugin.ComputeEngineJobTrigger(**json.loads(sys.argv[2]))
trigger._log = Log()
async def go():
    async for event in trigger.run(): pass
asyncio.run(go())
"""
    known = json.dumps(trigger.serialize()[1])
    triggerer = subprocess.Popen(
        [sys.executable, "-c", script, str(Path(plugin.__file__).parent), known], stdout=subprocess.PIPE, text=True
    )
    watchdog = threading.Timer(60, triggerer.kill)
    watchdog.start()
    for line in triggerer.stdout:
        if line.strip() == "begun":
            break
    triggerer.kill()
    triggerer.wait()
    triggerer.stdout.close()
    watchdog.cancel()
    [event] = asyncio.run(fire(trigger))
    assert operator.execute_complete(context(), event)["output"] == 9
