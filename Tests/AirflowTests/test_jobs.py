"""The operators of jobs, against a stand-in for the program."""

from __future__ import annotations

import base64
import contextlib
import datetime
import importlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CONFIG = {"project": "p", "image": "debian"}

# A stand-in that runs a job and is asked for its result.
SUCCEEDS = """
say("hello from the job")
name = argv[argv.index("--name") + 1] + "-" + argv[argv.index("--attempt") + 1]
attempt = int(argv[argv.index("--attempt") + 1])
answer({"name": name, "attempt": attempt, "ending": "exited", "exit_status": 0, "failure": None, "output": '{"rows": 3}',
    "left_behind": [], "result": {"exit_status": 0, "duration_seconds": 1.5, "total_seconds": 30.0, "zone": "z-b",
    "machine_type": "n1-standard-4", "spot": True, "attempts": 2, "preemptions": 1, "cost": 0.25}})
taken()
"""


class Instance:
    """A task instance, as far as operators look at it."""

    def __init__(self, **values) -> None:
        self.dag_id, self.task_id, self.run_id, self.map_index = "Nightly_Models", "train.large", "manual__1", -1
        self.try_number, self.max_tries = 1, 0
        self.start_date = datetime.datetime.now(datetime.timezone.utc)
        self.pushed: dict = {}
        vars(self).update(values)

    def xcom_push(self, key, value) -> None:
        self.pushed[key] = json.loads(json.dumps(value))


def context(**values):
    return {"ti": Instance(**values), "ds": "2026-01-31", "params": {"n": 4}}


def run(operator, **values):
    rendered = context(**values)
    operator.render_template_fields(rendered)
    return operator.execute(rendered)


def option(call, name):
    return call["argv"][call["argv"].index(name) + 1]


def spec_of(call):
    assert option(call, "--spec") == "-"
    return json.loads(call["stdin"])


def test_a_job_is_run_its_log_shown_and_its_result_returned(plugin, stand_in, caplog):
    stand_in.plays(SUCCEEDS)
    operator = plugin.ComputeEngineJobOperator(task_id="train", job_config=CONFIG, cmd="echo hello")
    caplog.set_level("INFO")
    assert run(operator) == {
        "job": stand_in.calls and option(stand_in.calls[0], "--name") + "-1",
        "exit_status": 0,
        "duration_seconds": 1.5,
        "total_seconds": 30.0,
        "zone": "z-b",
        "machine_type": "n1-standard-4",
        "spot": True,
        "attempts": 2,
        "preemptions": 1,
        "cost": 0.25,
        "output": {"rows": 3},
        "left_behind": [],
    }
    call = stand_in.calls[0]
    assert call["argv"][:2] == ["job", "run"]
    assert option(call, "-o") == "json"
    assert option(call, "--attempt") == "1"
    assert "--hand-over" not in call["argv"]
    assert spec_of(call) == {
        "job": {**CONFIG, "labels": {"airflow-dag": "nightly-models", "airflow-task": "train-large"}},
        "command": "echo hello",
    }
    assert stand_in.notes == ["told taken"]


def test_a_string_is_a_script_and_a_list_an_argv_and_all_is_templated(plugin, stand_in):
    stand_in.plays(SUCCEEDS)
    operator = plugin.ComputeEngineJobOperator(
        job_config=CONFIG,
        cmd=["train", "--day", "{{ ds }}", "it's $HOME"],
        task_id="train",
        name_prefix="model-{{ params.n }}",
        env_vars={"DAY": "{{ ds }}"},
        gcs_target={"/out": "bucket/{{ ds }}"},
        gcs_mounts={"bucket/in/{{ ds }}": "/in/{{ ds }}"},
        timeout_seconds=60,
    )
    run(operator)
    call = stand_in.calls[0]
    spec = spec_of(call)
    assert option(call, "--name").startswith("model-4-")
    assert spec["command"] == ["train", "--day", "2026-01-31", "it's $HOME"]
    assert spec["environment"] == {"DAY": "2026-01-31"}
    assert spec["outputs"] == {"/out": "bucket/2026-01-31"}
    assert spec["mounts"] == {"bucket/in/2026-01-31": "/in/2026-01-31"}
    assert spec["timeout_seconds"] == 60


def test_a_script_file_comes_along_byte_for_byte(plugin, stand_in, tmp_path):
    stand_in.plays(SUCCEEDS)
    (tmp_path / "count.py").write_bytes(b"#!/usr/bin/env python3\n\xff\x00 {{ ds }}")
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd_file="count.py", task_id="train")
    rendered = context()
    rendered["dag"] = type("D", (), {"fileloc": str(tmp_path / "dag.py")})
    operator.render_template_fields(rendered)
    operator.execute(rendered)
    spec = spec_of(stand_in.calls[0])
    assert spec["script_file"] == "count.py"
    assert base64.b64decode(spec["script_base64"]) == b"#!/usr/bin/env python3\n\xff\x00 {{ ds }}"
    assert "command" not in spec


def test_a_script_file_is_a_template_where_that_is_asked_for(plugin, stand_in, tmp_path):
    stand_in.plays(SUCCEEDS)
    (tmp_path / "count.sh").write_text("echo {{ ds }} {{ params.n }}\n")
    (tmp_path / "bytes.sh").write_bytes(b"\xff")
    run(
        plugin.ComputeEngineJobOperator(
            job_config=CONFIG, cmd_file=f"{tmp_path}/count.sh", render_cmd_file=True, task_id="train"
        )
    )
    spec = spec_of(stand_in.calls[0])
    assert spec["script_file"] == "count.sh"
    assert base64.b64decode(spec["script_base64"]).strip() == b"echo 2026-01-31 4"
    with pytest.raises(plugin.AirflowFailException, match="cannot be a template"):
        run(
            plugin.ComputeEngineJobOperator(
                job_config=CONFIG, cmd_file=f"{tmp_path}/bytes.sh", render_cmd_file=True, task_id="train"
            )
        )


def test_a_job_config_is_a_template_in_all_its_parts(plugin, stand_in):
    stand_in.plays(SUCCEEDS)
    config = (
        plugin.JobConfigBuilder()
        .project_id("p-{{ params.n }}")
        .image("train:{{ ds }}")
        .zones(["europe-west{{ params.n }}-b"])
        .region("europe-west4")
        .labels({"day": "{{ ds }}"})
        .disk_size_gb("{{ params.n * 100 }}")
        .build()
    )
    single = plugin.ComputeEngineJobOperator(job_config=config, cmd="x", task_id="train")
    group = plugin.ComputeEngineJobGroupOperator(
        name="models",
        job_factory=plugin.JobFactory(config),
        runtime_specs=[plugin.JobRuntimeSpec("x")],
        task_id="group",
    )
    for operator in (single, group):
        run(operator)
    for call in stand_in.calls:
        job = spec_of(call)["job"]
        assert (job["project"], job["image"], job["zones"]) == ("p-4", "train:2026-01-31", ["europe-west4-b"])
        assert job["labels"]["day"] == "2026-01-31"
        assert job["disk_size_gb"] == 400
    # Other tasks that share it render it for themselves.
    assert config["image"] == "train:{{ ds }}"


def test_a_template_that_would_count_as_true_is_refused(plugin, stand_in):
    with pytest.raises(plugin.AirflowException, match="preemptible takes True or False"):
        plugin.JobConfigBuilder().preemptible("{{ params.spot }}")
    config = {"project_id": "p", "preemptible": "{{ params.n > 5 }}"}
    with pytest.raises(plugin.AirflowFailException, match="preemptible takes True or False"):
        run(plugin.ComputeEngineJobOperator(job_config=config, cmd="x", task_id="train"))
    assert stand_in.calls == []


def test_numbers_of_templates_are_numbers(plugin, stand_in):
    stand_in.plays(SUCCEEDS)
    config = plugin.JobConfigBuilder().project_id("p").accelerator("nvidia-tesla-t4", "{{ params.n }}").build()
    run(group_of(plugin, plugin.JobRuntimeSpec("x", timeout_seconds="{{ params.n * 15 }}")))
    run(plugin.ComputeEngineJobOperator(job_config=config, cmd="x", timeout_seconds="{{ params.n / 2 }}", task_id="a"))
    assert spec_of(stand_in.calls[0])["timeout_seconds"] == 60
    assert spec_of(stand_in.calls[1])["timeout_seconds"] == 2
    assert spec_of(stand_in.calls[1])["job"]["accelerators"][0]["count"] == 4


def test_keys_are_shown_as_they_are_rendered(plugin):
    operator = plugin.ComputeEngineJobOperator(
        job_config=CONFIG, cmd="x", gcs_mounts={"in-{{ params.n }}": "/in"}, task_id="train"
    )
    operator.render_template_fields(context())
    assert operator.gcs_mounts == {"in-4": "/in"}
    operator.gcs_mounts = {"in-{{ params.n }}": "/in", "in-4": "/also"}
    with pytest.raises(plugin.AirflowFailException, match="the same once rendered: 'in-4'"):
        operator.render_template_fields(context())
    # What comes from elsewhere as it is, such as the output of another task, is not a template.
    given = {"in-{{ params.n }}": "/in"}
    assert operator.render_template(given, context(), None, {id(given)}) is given
    group = group_of(plugin, plugin.JobRuntimeSpec("x", gcs_mounts={"in-{{ params.n }}": "/in/{{ ds }}"}))
    group.render_template_fields(context())
    assert group.runtime_specs[0]["gcs_mounts"] == {"in-4": "/in/2026-01-31"}


def test_a_task_links_to_the_log_of_its_jobs_and_to_their_machines(plugin, stand_in, monkeypatch):
    stand_in.plays(SUCCEEDS)
    rendered = context()
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", name_prefix="my-model", task_id="train")
    operator.execute(rendered)
    log, machines = operator.operator_extra_links
    assert (log.name, machines.name) == ("Google Cloud log", "Google Cloud VMs")
    pushed = rendered["ti"].pushed
    for module in ("airflow.sdk.execution_time.xcom", "airflow.models.xcom"):
        with contextlib.suppress(ImportError):
            xcom = importlib.import_module(module).XCom
            monkeypatch.setattr(xcom, "get_value", lambda ti_key, key, **_: pushed.get(key))
    base = option(stand_in.calls[0], "--name")
    expected = [
        (log, f"https://console.cloud.google.com/logs/query;query=%22{base}%22?project=p"),
        (machines, "https://console.cloud.google.com/compute/instances?project=p"),
    ]
    for link, address in expected:
        assert link.get_link(operator, ti_key=rendered["ti"]) == address
        if hasattr(link, "xcom_key"):
            assert pushed[link.xcom_key] == address, "Airflow 3 would show it at the task's end only"
    pushed.clear()
    assert [link.get_link(operator, ti_key=rendered["ti"]) for link, _ in expected] == ["", ""]


def test_a_missing_script_file_is_named(plugin, stand_in):
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd_file="/nowhere/x.sh", task_id="train")
    with pytest.raises(plugin.AirflowException, match="cmd_file /nowhere/x.sh cannot be read"):
        run(operator)
    assert stand_in.calls == []


@pytest.mark.parametrize("arguments", [{}, {"cmd": "x", "cmd_file": "y"}])
def test_one_of_cmd_and_cmd_file_is_wanted(plugin, arguments):
    with pytest.raises(plugin.AirflowException, match="of cmd and cmd_file is given"):
        plugin.ComputeEngineJobOperator(job_config=CONFIG, task_id="train", **arguments)


def test_names_are_the_same_in_every_try_and_differ_otherwise(plugin):
    def name(prefix=None, index=None, **values):
        return plugin.job_base_name(prefix, Instance(**values), index)

    assert name() == name(try_number=7)
    assert name().startswith("nightly-models-train-large-")
    assert name("My Job").startswith("my-job-")
    others = [
        name(dag_id="x"),
        name(task_id="x"),
        name(run_id="x"),
        name(map_index=0),
        name(index=1),
        name(dag_id="a-b", task_id="c"),
        name(dag_id="a", task_id="b-c"),
    ]
    assert len({name(), *others}) == 1 + len(others)
    for base in [name("x" * 200), name("9"), name("-"), name("é" * 50), name(dag_id="_" * 100), *others]:
        assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", base), base
        assert len(base) <= 46


def test_the_programs_failure_has_its_status_and_its_last_lines(plugin, stand_in):
    stand_in.plays(
        """
        for number in range(100): say(f"line {number}")
        answer({"name": "train-1", "attempt": 1, "ending": "exited", "exit_status": 3, "failure": None, "result": {},
            "output": None, "left_behind": []})
        taken()
        sys.exit(3)
        """
    )
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="false", task_id="train")
    with pytest.raises(plugin.AirflowException) as error:
        run(operator)
    assert not isinstance(error.value, plugin.AirflowFailException)
    assert "train-1 ended with status 3" in str(error.value)
    assert "line 99" in str(error.value)
    assert "line 79" not in str(error.value)
    assert stand_in.notes == ["told taken"]


@pytest.mark.parametrize(
    ("kind", "final"), [("permission", True), ("invalid_request", True), ("no_capacity", False), ("machine", False)]
)
def test_failures_that_are_not_the_programs_say_their_kind(plugin, stand_in, kind, final):
    stand_in.plays(
        f"""
        answer({{"name": "train-1", "attempt": 1, "ending": "infrastructure", "exit_status": None, "result": None,
            "failure": {{"kind": "{kind}", "message": "what, and what to do"}}, "output": None, "left_behind": []}})
        taken()
        sys.exit(241)
        """
    )
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train")
    with pytest.raises(plugin.AirflowException, match="what, and what to do") as error:
        run(operator)
    assert isinstance(error.value, plugin.AirflowFailException) == final
    assert kind in str(error.value)


@pytest.mark.parametrize(
    ("script", "said", "final"),
    [
        ("say('error: no machine type n1-tiny'); say('  take one of …'); sys.exit(2)", "no machine type n1-tiny", True),
        ("print('Done!')", "is not JSON: Done!", False),
        ("answer([1])", "no object", False),
        ("answer({'name': 'x'}); taken()", "not a job's result", False),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV", False),
        ("pass", "nothing at all", False),
    ],
)
def test_a_job_that_cannot_start_or_answers_nonsense_is_told(plugin, stand_in, script, said, final):
    stand_in.plays(script)
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train")
    with pytest.raises(plugin.AirflowException) as error:
        run(operator)
    assert said in str(error.value)
    assert isinstance(error.value, plugin.AirflowFailException) == final


def test_what_is_left_behind_is_logged(plugin, stand_in, caplog):
    stand_in.plays(SUCCEEDS.replace('"left_behind": []', '"left_behind": ["topic x: 403"]'))
    warned = []
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train")
    operator.log.warning = lambda text, *values: warned.append(text % values)
    assert run(operator)["left_behind"] == ["topic x: 403"]
    assert warned[-1:] == ["left behind, for `dagrun job gc`: topic x: 403"]


def test_the_cancellation_of_an_earlier_try_is_taken_and_the_job_begun_anew(plugin, stand_in):
    stand_in.plays(
        f"""
        if not os.path.exists({str(stand_in.notes_file)!r}):
            answer({{"name": "x-1", "attempt": 1, "ending": "cancelled", "exit_status": None, "failure": None,
                "result": None, "output": None, "left_behind": []}})
            taken()
            sys.exit(130)
        """
        + SUCCEEDS.replace("\n", "\n        ")
    )
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train")
    assert run(operator, try_number=2)["exit_status"] == 0
    assert [option(call, "--attempt") for call in stand_in.calls] == ["2", "2"]
    assert stand_in.notes == ["told taken", "told taken"]


def test_a_job_that_somebody_else_cancelled_fails_for_good(plugin, stand_in):
    stand_in.plays(
        """
        answer({"name": "x-1", "attempt": 1, "ending": "cancelled", "exit_status": None, "failure": None,
            "result": None, "output": None, "left_behind": []})
        taken()
        """
    )
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train")
    with pytest.raises(plugin.AirflowFailException, match="cancelled, and not by Airflow"):
        run(operator)
    assert len(stand_in.calls) == 1


# A stand-in whose job never ends, unless it is cancelled.
ENDLESS = """
def on_term(*_):
    note("cancelled")
    say("removed all")
    answer({"name": "x", "attempt": 1, "ending": "cancelled", "exit_status": None, "failure": None, "result": None,
        "output": None, "left_behind": []})
    taken()
    sys.exit(130)
signal.signal(signal.SIGTERM, on_term)
note("began")
say("began")
if not taken(): sys.exit(0)
"""


def test_an_execution_timeout_cancels_the_job_and_waits_for_its_removal(plugin, stand_in):
    stand_in.plays(ENDLESS)
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train")

    class Timeout(BaseException):
        pass

    def on_alarm(*_):
        raise Timeout

    before = signal.signal(signal.SIGALRM, on_alarm)
    operator.log.info = lambda text, *values: (
        signal.setitimer(signal.ITIMER_REAL, 0.05) if text % values == "began" else None
    )
    try:
        with pytest.raises(Timeout):
            run(operator)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    operator.on_kill()  # as Airflow does after a timeout; there is nothing left to do
    assert stand_in.notes == ["began", "cancelled", "told taken"]


@pytest.mark.parametrize("raises", [True, False], ids=["as Airflow 2 does it", "as Airflow 3 does it"])
def test_on_kill_cancels_the_job(plugin, stand_in, raises):
    stand_in.plays(ENDLESS)
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train")
    said = []

    class Terminated(Exception):
        pass

    def on_term(*_):
        operator.on_kill()
        if raises:
            raise Terminated

    def info(text, *values):
        said.append(text % values)
        if said[-1] == "began":
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, on_term)
    operator.log.info = info
    try:
        with pytest.raises(Terminated if raises else plugin.AirflowException) as error:
            run(operator)
    finally:
        signal.signal(signal.SIGTERM, before)
    if not raises:
        assert "Airflow ended the task" in str(error.value)
    assert stand_in.notes == ["began", "cancelled", "told taken"]
    assert said[-1].endswith("is cancelled; nothing is left")
    assert "removed all" in said


@pytest.mark.parametrize("end", ["sys.exit(1)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_removal_that_fails_is_not_called_a_cancellation(plugin, stand_in, end):
    stand_in.plays(ENDLESS.replace('say("removed all")', end))
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train")
    said = []

    def info(text, *values):
        said.append(text % values)
        if said[-1] == "began":
            raise KeyboardInterrupt

    operator.log.info = info
    with pytest.raises(KeyboardInterrupt):
        run(operator)
    assert stand_in.notes == ["began", "cancelled"]
    assert "ended before it had removed" in said[-1]
    assert "dagrun job gc" in said[-1]


def test_a_removal_that_takes_longer_than_airflow_waits_goes_on_by_itself(plugin, stand_in, monkeypatch):
    stand_in.plays(
        """
        import threading
        going = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: (note("cancelling"), going.set()))
        say("began")
        while not going.wait(0.01): pass
        taken()          # the end of the leash: the cancel is finished first
        note("removed")
        """
    )
    monkeypatch.setenv("AIRFLOW__CORE__KILLED_TASK_CLEANUP_TIME", "6")
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train")
    said = []

    def info(text, *values):
        said.append(text % values)
        if said[-1] == "began":
            raise KeyboardInterrupt

    operator.log.info = info
    with pytest.raises(KeyboardInterrupt):
        run(operator)
    assert "is not removed yet" in said[-1]
    assert "dagrun job gc" in said[-1]
    stand_in.wait_for_note("removed")
    assert stand_in.notes == ["cancelling", "leash ended", "removed"]


def test_a_group_runs_all_at_once_and_returns_a_list_in_order(plugin, stand_in):
    # Each waits until all three have begun.
    stand_in.plays(
        f"""
        calls = {str(stand_in.calls_file)!r}
        end = time.monotonic() + 20
        while len(open(calls).readlines()) < 3 and time.monotonic() < end: time.sleep(0.01)
        """
        + SUCCEEDS.replace("\n", "\n        ")
    )
    operator = plugin.ComputeEngineJobGroupOperator(
        task_id="group",
        name="models",
        job_factory=plugin.JobFactory(job_config=CONFIG),
        runtime_specs=[
            plugin.JobRuntimeSpec(["train", "{{ ds }}", str(number)], env_vars={"DAY": "{{ ds }}"}) for number in range(3)
        ],
    )
    values = run(operator)
    assert [value["exit_status"] for value in values] == [0, 0, 0]
    assert [re.sub("-[0-9a-f]{10}-1$", "", value["job"]) for value in values] == ["models-0", "models-1", "models-2"]
    commands = sorted(spec_of(call)["command"] for call in stand_in.calls)
    assert commands == [["train", "2026-01-31", str(number)] for number in range(3)]
    assert stand_in.notes == ["told taken"] * 3


def group_of_which_one_fails(plugin, stand_in):
    stand_in.plays(
        """
        if "fails" in stdin:
            say("boom")
            answer({"name": "x", "attempt": 1, "ending": "exited", "exit_status": 1, "failure": None, "result": {},
                "output": None, "left_behind": []})
            note("failed: " + str(taken()))
            sys.exit(1)
        """
        + SUCCEEDS.replace("\n", "\n        ").replace("taken()", "note('succeeded: ' + str(taken()))")
    )
    return plugin.ComputeEngineJobGroupOperator(
        task_id="group",
        name="models",
        job_factory=plugin.JobFactory(CONFIG),
        runtime_specs=[plugin.JobRuntimeSpec("works"), plugin.JobRuntimeSpec("fails"), plugin.JobRuntimeSpec("works")],
    )


def test_a_group_with_tries_left_keeps_what_has_succeeded(plugin, stand_in):
    with pytest.raises(plugin.AirflowException, match="1 of 3 jobs failed(.|\n)*boom"):
        run(group_of_which_one_fails(plugin, stand_in), max_tries=1)
    assert sorted(note for note in stand_in.notes if "ed: " in note) == [
        "failed: True",
        "succeeded: False",
        "succeeded: False",
    ]


def test_a_group_in_its_last_try_takes_all(plugin, stand_in):
    with pytest.raises(plugin.AirflowException, match="1 of 3 jobs failed"):
        run(group_of_which_one_fails(plugin, stand_in), max_tries=0)
    assert "succeeded: False" not in stand_in.notes


def test_all_of_a_group_are_cancelled(plugin, stand_in):
    stand_in.plays(ENDLESS)
    operator = plugin.ComputeEngineJobGroupOperator(
        name="models",
        job_factory=plugin.JobFactory(CONFIG),
        runtime_specs=[plugin.JobRuntimeSpec("x")] * 2,
        task_id="group",
    )
    said = []

    def info(text, *values):
        said.append(text % values)
        if said[-1].endswith("began") and len(said) == 2:
            raise KeyboardInterrupt

    operator.log.info = info
    with pytest.raises(KeyboardInterrupt):
        run(operator)
    assert sorted(stand_in.notes) == ["began"] * 2 + ["cancelled"] * 2 + ["told taken"] * 2


def test_a_task_that_is_killed_before_its_job_begins_begins_none(plugin, stand_in):
    """As Airflow 3 does it: it calls on_kill, and then continues."""
    stand_in.plays(ENDLESS)
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train")
    operator.on_kill()
    with pytest.raises(plugin.AirflowException, match="Airflow ended the task"):
        run(operator)
    assert stand_in.calls == []


def test_a_group_that_is_killed_while_it_begins_begins_no_more(plugin, stand_in, monkeypatch):
    stand_in.plays(ENDLESS)
    operator = plugin.ComputeEngineJobGroupOperator(
        name="models",
        job_factory=plugin.JobFactory(CONFIG),
        runtime_specs=[plugin.JobRuntimeSpec("x")] * 3,
        task_id="group",
    )
    begin = plugin.JobRun.begin

    def begin_and_be_killed(job, *arguments):
        # Airflow's signal comes in the middle of it, before there is a command to cancel.
        operator.on_kill()
        begin(job, *arguments)
        stand_in.wait_for_note("began")

    monkeypatch.setattr(plugin.JobRun, "begin", begin_and_be_killed)
    with pytest.raises(plugin.AirflowException, match="Airflow ended the task"):
        run(operator)
    assert stand_in.notes == ["began", "cancelled", "told taken"]


def test_jobs_that_were_handed_over_are_cancelled_with_the_others(plugin, stand_in):
    handed_over = {"name": "models-0-1", "attempt": 1, "project": "p", "handed_over": True}
    stand_in.plays(
        f"""
        if argv[:2] == ["job", "cancel"]:
            note(" ".join(argv))
            say("removed all")
            sys.exit(0)
        if "early" in stdin:
            answer({handed_over!r})
            note("handed over")
            sys.exit(0)
        while not os.path.exists({str(stand_in.notes_file)!r}): time.sleep(0.01)
        time.sleep(0.3)
        """
        + ENDLESS.replace("\n", "\n        ")
    )
    operator = plugin.ComputeEngineJobGroupOperator(
        name="models",
        job_factory=plugin.JobFactory(CONFIG),
        runtime_specs=[plugin.JobRuntimeSpec("early"), plugin.JobRuntimeSpec("late")],
        task_id="group",
        deferrable=True,
    )
    said = []

    def info(text, *values):
        said.append(text % values)
        if said[-1].endswith("began"):
            raise KeyboardInterrupt

    operator.log.info = info
    with pytest.raises(KeyboardInterrupt):
        run(operator)
    assert "job cancel models-0-1 --project p" in stand_in.notes
    assert "cancelled" in stand_in.notes
    assert sum("is cancelled; nothing is left" in line for line in said) == 2, said


@pytest.mark.parametrize(
    ("factory", "specs", "said"),
    [
        (lambda plugin: CONFIG, lambda plugin: [plugin.JobRuntimeSpec("x")], "job_factory is of type dict"),
        (lambda plugin: plugin.JobFactory(CONFIG), lambda plugin: ["echo"], r"runtime_specs\[0\] is of type str"),
        (lambda plugin: plugin.JobFactory(CONFIG), lambda plugin: [{"env_vars": {}}], r"runtime_specs\[0\] has no args"),
        (
            lambda plugin: plugin.JobFactory(CONFIG),
            lambda plugin: [{"args": "x", "env": {}}],
            r"runtime_specs\[0\] has the unknown key 'env'",
        ),
    ],
)
def test_wrong_arguments_of_a_group_are_named(plugin, stand_in, factory, specs, said):
    operator = plugin.ComputeEngineJobGroupOperator(
        name="models", job_factory=factory(plugin), runtime_specs=specs(plugin), task_id="group"
    )
    with pytest.raises(plugin.AirflowFailException, match=said):
        run(operator)
    assert stand_in.calls == []


def test_a_config_that_is_no_json_is_named(plugin, stand_in):
    config = {**CONFIG, "scopes": {"a", "b"}}
    with pytest.raises(plugin.AirflowFailException, match="is not JSON(.|\n)*job_config takes"):
        run(plugin.ComputeEngineJobOperator(job_config=config, cmd="x", task_id="train"))
    assert stand_in.calls == []


def test_an_empty_group_is_refused(plugin, stand_in):
    operator = plugin.ComputeEngineJobGroupOperator(
        name="models", job_factory=plugin.JobFactory(CONFIG), runtime_specs=[], task_id="group"
    )
    with pytest.raises(plugin.AirflowFailException, match="runtime_specs is empty"):
        run(operator)


HOLDER = """
import sys
sys.path.insert(0, sys.argv[1])
import dagrun_plugin, datetime
class Instance:
    dag_id, task_id, run_id, map_index, try_number, max_tries = "d", "t", "r", -1, 1, 0
    def xcom_push(self, key, value): pass
operator = dagrun_plugin.ComputeEngineJobOperator(job_config={"project": "p"}, cmd="x", task_id="train")
operator.execute({"ti": Instance()})
"""


def test_kill_9_of_the_task_leaves_the_job(plugin, stand_in):
    stand_in.plays(ENDLESS)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(Path(plugin.__file__).parent)])
    try:
        stand_in.wait_for_note("began", 30)
    finally:
        holder.kill()
        holder.wait()
    stand_in.wait_for_note("leash ended")
    time.sleep(0.1)
    assert stand_in.notes == ["began", "leash ended"]


SUPERVISOR = """
import os, sys, subprocess, time
from setproctitle import setproctitle
if os.fork() == 0:
    setproctitle("airflow task runner: d t r 1")
    sys.argv.append(sys.argv[1])
    exec(open(sys.argv[2]).read())
    os._exit(0)
time.sleep(100)
"""


def test_kill_9_of_the_supervisor_of_airflow_2_leaves_the_job(plugin, stand_in, tmp_path):
    pytest.importorskip("setproctitle", reason="SKIPPED, NOT TESTED: this Airflow names no processes")
    stand_in.plays(ENDLESS)
    (tmp_path / "holder.py").write_text(HOLDER)
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(Path(plugin.__file__).parent), str(tmp_path / "holder.py")]
    )
    try:
        stand_in.wait_for_note("began", 30)
    finally:
        supervisor.kill()
        supervisor.wait()
    stand_in.wait_for_note("leash ended")
    assert "cancelled" not in stand_in.notes


def test_a_dag_can_be_serialised_the_same_each_time(plugin):
    def operator():
        return plugin.ComputeEngineJobGroupOperator(
            name="models",
            job_factory=plugin.JobFactory(CONFIG),
            runtime_specs=[plugin.JobRuntimeSpec("x", {"A": "1"})],
            task_id="group",
        )

    assert str(operator().runtime_specs) == str(operator().runtime_specs)
    assert json.loads(json.dumps(operator().runtime_specs)) == [{"args": "x", "env_vars": {"A": "1"}}]


def group_of(plugin, *specs, task_id="group"):
    return plugin.ComputeEngineJobGroupOperator(
        name="models", job_factory=plugin.JobFactory(CONFIG), runtime_specs=list(specs), task_id=task_id
    )


def test_airflow_masks_the_secrets_of_a_group(plugin):
    helpers = importlib.import_module("airflow.serialization.helpers")
    for module in ("airflow.sdk.log", "airflow.sdk.execution_time.secrets_masker", "airflow.utils.log.secrets_masker"):
        with contextlib.suppress(ImportError, AttributeError):
            redact = importlib.import_module(module).redact
            break
    operator = group_of(plugin, plugin.JobRuntimeSpec("x", env_vars={"DB_PASSWORD": "hunter2", "DAY": "{{ ds }}"}))
    operator.render_template_fields(context())
    shown = json.dumps(redact(helpers.serialize_template_field(operator.runtime_specs, "runtime_specs")))
    assert "hunter2" not in shown
    assert "2026-01-31" in shown


def test_a_spec_that_two_tasks_share_is_rendered_for_each(plugin):
    spec = plugin.JobRuntimeSpec("echo {{ ti.task_id }}")
    first, second = group_of(plugin, spec, task_id="first"), group_of(plugin, spec, task_id="second")
    for operator in (first, second):
        operator.render_template_fields(context(task_id=operator.task_id))
    assert first.runtime_specs[0]["args"] == "echo first"
    assert second.runtime_specs[0]["args"] == "echo second"


def test_specs_of_another_copy_of_the_plugin_are_taken(plugin, stand_in, tmp_path):
    """Airflow loads a plugin a second time, and replaces the module."""
    stand_in.plays(SUCCEEDS)
    specification = importlib.util.spec_from_file_location("another_copy", plugin.__file__)
    another = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(another)
    operator = plugin.ComputeEngineJobGroupOperator(
        name="models",
        job_factory=another.JobFactory(CONFIG),
        runtime_specs=[another.JobRuntimeSpec("x")],
        task_id="group",
    )
    assert [value["exit_status"] for value in run(operator)] == [0]


@pytest.mark.parametrize(
    ("timeout", "own", "bound"),
    [
        (None, None, None),
        (datetime.timedelta(hours=1), None, 7200),
        (datetime.timedelta(seconds=1.5), None, 3602),
        (datetime.timedelta(days=400), None, 120 * 86400),
        (datetime.timedelta(hours=1), 600, 600),
    ],
)
def test_execution_timeout_bounds_machines_that_have_no_bound(plugin, stand_in, timeout, own, bound):
    """A task that is killed in its last try cancels nothing."""
    stand_in.plays(SUCCEEDS)
    config = {**CONFIG, "max_run_duration_seconds": own} if own else CONFIG
    group = plugin.ComputeEngineJobGroupOperator(
        name="models",
        job_factory=plugin.JobFactory(config),
        runtime_specs=[plugin.JobRuntimeSpec("x")],
        task_id="group",
        execution_timeout=timeout,
    )
    single = plugin.ComputeEngineJobOperator(job_config=config, cmd="x", task_id="train", execution_timeout=timeout)
    for operator in (group, single):
        run(operator)
    assert [spec_of(call)["job"].get("max_run_duration_seconds") for call in stand_in.calls] == [bound, bound]
