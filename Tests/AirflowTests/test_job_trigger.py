"""Deferrable jobs: handing over, the trigger, and the one `dagrun job serve` of a triggerer."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import importlib
import importlib.util
import inspect
import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from test_jobs import CONFIG, SUCCEEDS, context, option, run

# A stand-in for `dagrun job serve`: what `orders` does with an order is a test's.
SERVES = """
if argv[:2] == ["job", "serve"]:
    note("serves")
    def tell(job, event, **more): print(json.dumps({"job": job, "event": event, **more}), flush=True)
    def end(job, status=0, ending="exited"):
        tell(job, "ended", exit_code=status, text=f"job {job} is over", result={"name": job, "attempt": 1,
            "ending": ending, "exit_status": status if ending == "exited" else None, "failure": None,
            "result": {"exit_status": status}, "output": None, "left_behind": []})
    for line in sys.stdin:
        order = json.loads(line)
        note(line.strip())
        if "attach" in order: attached(order["attach"])
        if "cancel" in order: cancelled(order["cancel"])
    note("left")
    sys.exit(0)
"""

HANDED_OVER = {"name": "train-1", "attempt": 1, "project": "p", "handed_over": True}


def serve(stand_in, attached="end(job)", cancelled="end(job, ending='cancelled')"):
    return stand_in.plays(f"def attached(job): {attached}\ndef cancelled(job): {cancelled}\n" + SERVES)


def orders(stand_in, verb):
    lines = [json.loads(note) for note in stand_in.notes if note.startswith("{")]
    return [line[verb] for line in lines if verb in line]


def trigger_of(plugin, *names, in_triggerer=True, **values):
    jobs = [{"name": name, "project": "p", "title": ""} for name in names]
    trigger = plugin.ComputeEngineJobTrigger(jobs=jobs, **values)
    # The triggerer gives a trigger its task instance; `dags test` and dag.test() do not.
    trigger.task_instance = SimpleNamespace(task_id="train") if in_triggerer else None
    return listen_to(trigger)


def listen_to(trigger):
    """Keeps what it logs."""
    said = trigger.said = []

    def say(text, *values):
        said.append(text % values)

    trigger._log = SimpleNamespace(info=say, warning=say, error=say)
    return trigger


async def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def fire(trigger):
    """As the triggerer does: all events, then the clean-up."""
    try:
        return [event.payload async for event in trigger.run()]
    finally:
        await trigger.cleanup()


def test_triggers_share_one_server_which_ends_with_the_last(plugin, stand_in):
    serve(stand_in, "(tell(job, 'log', text='one\\ntwo\\n'), tell(job, 'note', text='a note'), end(job))")
    first, second = trigger_of(plugin, "a-1"), trigger_of(plugin, "b-1")

    async def both():
        return await asyncio.gather(fire(first), fire(second))

    events = asyncio.run(both())
    stand_in.wait_for_note("left")
    assert [event[0]["jobs"][0]["record"]["name"] for event in events] == ["a-1", "b-1"]
    assert first.said[:3] == ["one", "two", "a note"]
    assert stand_in.notes.count("serves") == 1
    assert sorted(orders(stand_in, "taken")) == ["a-1", "b-1"]
    assert orders(stand_in, "cancel") == []


def test_the_result_is_taken_after_the_event_only(plugin, stand_in):
    serve(stand_in)
    trigger = trigger_of(plugin, "a-1")

    async def half():
        events = trigger.run()
        await events.__anext__()
        await asyncio.sleep(0.1)
        before = orders(stand_in, "taken")
        with pytest.raises(StopAsyncIteration):
            await events.__anext__()
        await trigger.cleanup()
        await until(lambda: "left" in stand_in.notes)
        return before

    assert asyncio.run(half()) == []
    assert orders(stand_in, "taken") == ["a-1"]


def test_a_server_that_dies_begins_again_with_the_jobs_it_had(plugin, stand_in):
    # The first dies once both are attached; the second ends the jobs.
    serve(
        stand_in,
        f"""
    notes = open({str(stand_in.notes_file)!r}).read()
    if notes.count("serves") == 2: end(job)
    elif notes.count("attach") == 2: os._exit(9)""",
    )

    async def both():
        return await asyncio.gather(fire(trigger_of(plugin, "a-1")), fire(trigger_of(plugin, "b-1")))

    events = asyncio.run(both())
    assert [event[0]["jobs"][0]["record"]["ending"] for event in events] == ["exited", "exited"]
    assert stand_in.notes.count("serves") == 2
    assert sorted(orders(stand_in, "attach")) == ["a-1", "a-1", "b-1", "b-1"]


def test_a_job_that_is_not_there_is_a_failure(plugin, stand_in):
    serve(stand_in, "tell(job, 'failed', message='no job a-1', hint='look elsewhere', exit_code=3)")
    [event] = asyncio.run(fire(trigger_of(plugin, "a-1")))
    assert event["jobs"][0]["failure"] == "Job a-1 is not to be had: no job a-1\nlook elsewhere"
    assert orders(stand_in, "taken") == []


def test_a_job_that_another_process_has_is_asked_for_again(plugin, stand_in, monkeypatch):
    monkeypatch.setattr(plugin, "SECONDS_BETWEEN_ATTACHES", 0.01)
    serve(
        stand_in,
        f"""
    if open({str(stand_in.notes_file)!r}).read().count("attach") >= 3: end(job)
    else: tell(job, "failed", message="process 7 drives it", hint=None, exit_code=5)""",
    )
    [event] = asyncio.run(fire(trigger_of(plugin, "a-1")))
    assert event["jobs"][0]["record"]["exit_status"] == 0
    assert orders(stand_in, "attach") == ["a-1"] * 3


def test_lines_that_are_no_events_harm_nothing(plugin, stand_in):
    serve(stand_in, "(print('oops', flush=True), print('[1]', flush=True), say('a warning'), end(job))")
    [event] = asyncio.run(fire(trigger_of(plugin, "a-1")))
    assert event["jobs"][0]["record"]["exit_status"] == 0


def test_without_the_program_the_event_says_so(plugin, monkeypatch, tmp_path):
    monkeypatch.setenv("DAGRUN_BINARY", str(tmp_path / "nowhere"))
    [event] = asyncio.run(fire(trigger_of(plugin, "a-1")))
    assert "dagrun was not found" in event["jobs"][0]["failure"]


async def cancel_run(plugin, stand_in, trigger, kills):
    """The triggerer cancels a trigger's task; Airflow 3.3 then calls on_kill when it was a person's doing."""
    task = asyncio.ensure_future(trigger.run().__anext__())
    await until(lambda: orders(stand_in, "attach") == ["a-1"])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    if kills:
        await trigger.on_kill()
    await trigger.cleanup()
    await until(lambda: "left" in stand_in.notes)


@pytest.mark.parametrize("may_retry", [True, False])
@pytest.mark.parametrize("final", [True, False])
def test_a_failure_without_the_program_says_what_becomes_of_the_jobs(plugin, stand_in, monkeypatch, may_retry, final):
    def check(binary):
        raise plugin.failure("The connection has a secret's name.", final=final)

    monkeypatch.setattr(plugin.Binary, "check", check)
    [event] = asyncio.run(fire(trigger_of(plugin, "a-1", may_retry=may_retry)))
    job = event["jobs"][0]
    assert job["final"] == final
    continues = "Job a-1 continues; the task's next try adopts it."
    if final or not may_retry:
        continues = "Job a-1 continues to its limit; to end it: dagrun job cancel a-1 --project p"
    assert job["failure"] == f"The connection has a secret's name.\n{continues}"


def test_a_server_that_cannot_begin_again_is_in_the_log_of_each_task(plugin, stand_in, monkeypatch):
    serve(
        stand_in,
        f"""
    if open({str(stand_in.notes_file)!r}).read().count("attach") == 2: os._exit(9)""",
    )
    first, second = trigger_of(plugin, "a-1"), trigger_of(plugin, "b-1")
    real, begun = plugin.JobServer._begin, []

    async def begin(server):
        if begun:
            raise plugin.failure("Airflow does not give the connection gone.")
        begun.append(server)
        return await real(server)

    monkeypatch.setattr(plugin.JobServer, "_begin", begin)

    async def both():
        running = [asyncio.ensure_future(fire(trigger)) for trigger in (first, second)]
        try:
            await until(lambda: all("does not give the connection" in "".join(each.said) for each in (first, second)))
        finally:
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    asyncio.run(both())
    for trigger in (first, second):
        assert [line for line in trigger.said if "job serve" in line] == [
            "dagrun job serve cannot begin, and is tried again: Airflow does not give the connection gone."
        ]


def test_a_killed_task_cancels_its_job_and_waits_for_its_removal(plugin, stand_in):
    serve(stand_in, "tell(job, 'began')", "(tell(job, 'note', text='removing'), end(job, ending='cancelled'))")
    trigger = trigger_of(plugin, "a-1")
    asyncio.run(cancel_run(plugin, stand_in, trigger, kills=True))
    assert orders(stand_in, "cancel") == ["a-1"]
    assert orders(stand_in, "taken") == ["a-1"]
    assert trigger.said[-1] == "job a-1 is cancelled"
    assert "removing" in trigger.said


def test_a_removal_that_takes_longer_is_not_left(plugin, stand_in, monkeypatch):
    monkeypatch.setattr(plugin, "SECONDS_OF_CANCEL", 0.2)
    serve(stand_in, "tell(job, 'began')", "None")
    trigger = trigger_of(plugin, "a-1")
    asyncio.run(cancel_run(plugin, stand_in, trigger, kills=True))
    assert orders(stand_in, "cancel") == ["a-1"]
    assert orders(stand_in, "leave") == []
    assert any(line.startswith("not removed yet: a-1") for line in trigger.said)


def test_a_triggerer_that_ends_leaves_the_job(plugin, stand_in, monkeypatch):
    # As Airflow 3.3 and later, which would have called on_kill.
    monkeypatch.setattr(plugin.BaseTrigger, "on_kill", None, raising=False)
    serve(stand_in, "tell(job, 'began')")
    asyncio.run(cancel_run(plugin, stand_in, trigger_of(plugin, "a-1"), kills=False))
    assert orders(stand_in, "cancel") == []
    assert orders(stand_in, "leave") == ["a-1"]


@pytest.mark.parametrize(("state", "cancels"), [("deferred", False), ("running", True), (None, True), ("failed", True)])
def test_before_airflow_3_3_the_tasks_state_tells(plugin, stand_in, monkeypatch, state, cancels):
    monkeypatch.delattr(plugin.BaseTrigger, "on_kill", raising=False)
    monkeypatch.setattr(plugin.ComputeEngineJobTrigger, "_state_of_task", lambda self: state)
    serve(stand_in, "tell(job, 'began')")
    asyncio.run(cancel_run(plugin, stand_in, trigger_of(plugin, "a-1"), kills=False))
    assert orders(stand_in, "cancel") == (["a-1"] if cancels else [])


@pytest.mark.parametrize("tells_of_kills", [True, False])
def test_airflow_may_cancel_a_trigger_again_while_it_removes_its_job(plugin, stand_in, monkeypatch, tells_of_kills):
    """Airflow 2 does, each second."""

    def state(self):
        time.sleep(0.3)
        return "running"

    if not tells_of_kills:
        monkeypatch.delattr(plugin.BaseTrigger, "on_kill", raising=False)
    else:
        monkeypatch.setattr(plugin.BaseTrigger, "on_kill", None, raising=False)
    monkeypatch.setattr(plugin.ComputeEngineJobTrigger, "_state_of_task", state)
    serve(stand_in, "tell(job, 'began')", "(time.sleep(0.5), end(job, ending='cancelled'))")
    trigger = trigger_of(plugin, "a-1")

    async def of_triggerer():
        try:
            await trigger.run().__anext__()
        except asyncio.CancelledError:
            if tells_of_kills:
                with contextlib.suppress(asyncio.CancelledError):
                    await trigger.on_kill()
            raise
        finally:
            await trigger.cleanup()

    async def play():
        task = asyncio.ensure_future(of_triggerer())
        await until(lambda: orders(stand_in, "attach") == ["a-1"])
        while not task.done():
            task.cancel()
            await asyncio.sleep(0.05)
        await until(lambda: "left" in stand_in.notes)

    asyncio.run(play())
    assert orders(stand_in, "cancel") == ["a-1"]
    assert trigger.said[-1] == "job a-1 is cancelled"


def test_an_unknown_state_leaves_the_job(plugin, stand_in, monkeypatch):
    monkeypatch.delattr(plugin.BaseTrigger, "on_kill", raising=False)
    serve(stand_in, "tell(job, 'began')")
    # Its task instance has no run to ask for.
    asyncio.run(cancel_run(plugin, stand_in, trigger_of(plugin, "a-1"), kills=False))
    assert orders(stand_in, "cancel") == []


@pytest.mark.parametrize("ended_by", ["its limit", "a cancel"])
def test_a_question_that_takes_long_is_not_interrupted(plugin, monkeypatch, ended_by):
    """An answer that Airflow 3.0 and 3.1 do not read is taken for the next one, and ends the triggerer."""
    monkeypatch.setattr(plugin, "SECONDS_FOR_AN_ANSWER", 0.01 if ended_by == "its limit" else 60)
    trigger = trigger_of(plugin, "a-1")

    async def go():
        asked, answer, read = asyncio.Event(), asyncio.Event(), []

        async def ask():
            asked.set()
            await answer.wait()
            read.append("deferred")
            return "deferred"

        monkeypatch.setattr(trigger, "_state_of_task", lambda: async_to_sync(ask)())
        asking = asyncio.ensure_future(trigger._task_was_ended())
        await asked.wait()
        if ended_by == "a cancel":
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        else:
            assert await asking is False
        assert read == []
        answer.set()
        await until(lambda: read == ["deferred"])

    asyncio.run(go())


def test_a_state_is_asked_for_on_the_triggers_own_loop(plugin, stand_in, monkeypatch):
    """Airflow 3.0 and 3.1 ask by async_to_sync. On another loop that would read the triggerer's pipe beside it."""
    monkeypatch.delattr(plugin.BaseTrigger, "on_kill", raising=False)
    loops = []

    async def ask():
        loops.append(asyncio.get_running_loop())

    def state(self):
        async_to_sync(ask)()
        return "deferred"

    monkeypatch.setattr(plugin.ComputeEngineJobTrigger, "_state_of_task", state)
    serve(stand_in, "tell(job, 'began')")

    async def play():
        loops.append(asyncio.get_running_loop())
        await cancel_run(plugin, stand_in, trigger_of(plugin, "a-1"), kills=False)

    asyncio.run(play())
    assert len(loops) == 2
    assert loops[0] is loops[1]


def first_event(trigger):
    """As `dags test` and dag.test() do: the first event alone, and no clean-up."""

    async def first():
        async for event in trigger.run():
            return event.payload
        return None

    return asyncio.run(first())


@pytest.mark.parametrize("status", [0, 1])
def test_without_a_triggerer_a_result_is_taken_before_the_event(plugin, stand_in, status):
    """Else the next test of the DAG would report this one's result as its own."""
    serve(stand_in, f"end(job, {status})")
    event = first_event(trigger_of(plugin, "a-1", in_triggerer=False))
    stand_in.wait_for_note("left")
    assert ("failure" in event["jobs"][0]) == bool(status)
    assert orders(stand_in, "taken") == ["a-1"]


def test_without_a_triggerer_a_success_beside_a_failure_is_kept_for_the_next_try(plugin, stand_in):
    serve(stand_in, "end(job, 1 if job == 'b-1' else 0)")
    first_event(trigger_of(plugin, "a-1", "b-1", in_triggerer=False, may_retry=True))
    stand_in.wait_for_note("left")
    assert orders(stand_in, "taken") == ["b-1"]


@pytest.mark.parametrize("ending", ["ctrl-c", "on_kill"])
def test_ctrl_c_or_a_kill_without_a_triggerer_cancels_the_jobs(plugin, stand_in, ending):
    serve(stand_in, "tell(job, 'began')", "(tell(job, 'note', text='removing'), end(job, ending='cancelled'))")
    trigger = trigger_of(plugin, "a-1", "b-1", in_triggerer=False)

    async def play():
        task = asyncio.ensure_future(trigger.run().__anext__())
        await until(lambda: set(orders(stand_in, "attach")) == {"a-1", "b-1"})
        if ending == "ctrl-c":
            task.cancel()  # as asyncio.run does
        else:
            # As the handler of SIGTERM that Airflow 3 installed for the task before it deferred.
            plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train").on_kill()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(play())
    assert "left" in stand_in.notes
    assert sorted(orders(stand_in, "cancel")) == ["a-1", "b-1"]
    assert sorted(orders(stand_in, "taken")) == ["a-1", "b-1"]


def test_a_job_that_its_deadline_cancels_is_not_cancelled_again(plugin, stand_in, monkeypatch):
    """Airflow ends the trigger of a task that has timed out, while the trigger removes its jobs for the same reason."""
    monkeypatch.delattr(plugin.BaseTrigger, "on_kill", raising=False)
    monkeypatch.setattr(plugin.ComputeEngineJobTrigger, "_state_of_task", lambda self: "failed")
    go = stand_in.folder / "go"
    os.mkfifo(go)
    serve(stand_in, "tell(job, 'began')", f"(open({str(go)!r}).read(), end(job, ending='cancelled'))")
    trigger = trigger_of(plugin, "a-1", deadline=time.time() + 0.1)

    async def play():
        task = asyncio.ensure_future(trigger.run().__anext__())
        await until(lambda: orders(stand_in, "cancel") == ["a-1"])
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        leaving = asyncio.ensure_future(trigger.cleanup())
        await asyncio.to_thread(go.write_text, "now")
        await leaving
        await until(lambda: "left" in stand_in.notes)

    asyncio.run(play())
    assert orders(stand_in, "cancel") == ["a-1"]
    assert trigger.said[-1] == "job a-1 is cancelled"


def test_at_the_deadline_the_job_is_cancelled_and_the_task_fails(plugin, stand_in):
    serve(stand_in, "tell(job, 'began')")
    [event] = asyncio.run(fire(trigger_of(plugin, "a-1", deadline=time.time() + 0.2)))
    stand_in.wait_for_note("left")
    assert "execution_timeout" in event["jobs"][0]["failure"]
    assert orders(stand_in, "cancel") == ["a-1"]
    assert orders(stand_in, "taken")[:1] == ["a-1"]


@pytest.mark.parametrize("may_retry", [True, False])
def test_what_succeeded_beside_a_failure_is_kept_while_there_are_tries_left(plugin, stand_in, may_retry):
    serve(stand_in, "end(job, 1 if job == 'b-1' else 0)")
    trigger = trigger_of(plugin, "a-1", "b-1", may_retry=may_retry)

    async def all_of_it():
        events = await fire(trigger)
        await until(lambda: "left" in stand_in.notes)
        return events

    [event] = asyncio.run(all_of_it())
    assert "ended with status 1" in event["jobs"][1]["failure"]
    assert sorted(orders(stand_in, "taken")) == (["b-1"] if may_retry else ["a-1", "b-1"])


def test_a_trigger_is_made_again_from_what_it_serialises(plugin):
    trigger = trigger_of(plugin, "a-1", deadline=5.0, may_retry=True)
    path, values = trigger.serialize()
    assert path == "dagrun_plugin.ComputeEngineJobTrigger"
    module, name = path.rsplit(".", 1)
    again = getattr(importlib.import_module(module), name)(**json.loads(json.dumps(values)))
    assert again.serialize() == trigger.serialize()


# Operators that defer.


def deferred(plugin, operator, **values):
    with pytest.raises(BaseException) as error:  # TaskDeferred is one
        run(operator, **values)
    assert type(error.value).__name__ == "TaskDeferred", error.value
    return error.value


def test_a_deferrable_job_is_handed_over(plugin, stand_in):
    stand_in.plays(f"say('asked for a machine'); answer({HANDED_OVER!r})")
    operator = plugin.ComputeEngineJobOperator(
        job_config=CONFIG,
        cmd="x",
        task_id="train",
        deferrable=True,
        execution_timeout=datetime.timedelta(hours=1),
    )
    start = datetime.datetime(2026, 1, 31, tzinfo=datetime.timezone.utc)
    left = deferred(plugin, operator, start_date=start)
    assert "--hand-over" in stand_in.calls[0]["argv"]
    assert left.method_name == "execute_complete"
    assert left.trigger.serialize()[1] == {
        "jobs": [{"title": "", "name": "train-1", "project": "p"}],
        "deadline": start.timestamp() + 3600,
        "may_retry": False,
        "gcp_conn_id": None,
        "impersonation_chain": None,
    }


def test_a_deferrable_job_that_is_over_already_does_not_defer(plugin, stand_in):
    stand_in.plays(SUCCEEDS)
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train", deferrable=True)
    assert run(operator)["exit_status"] == 0
    assert stand_in.notes == ["told taken"]


def test_deferrable_is_airflows_default(plugin, monkeypatch):
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    assert plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train").deferrable
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "False")
    assert not plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train").deferrable


def test_a_deferred_group_carries_what_is_over_already(plugin, stand_in):
    stand_in.plays(
        f"""
        if "later" in stdin:
            answer({HANDED_OVER!r})
            sys.exit(0)
        """
        + SUCCEEDS.replace("\n", "\n        ")
    )
    operator = plugin.ComputeEngineJobGroupOperator(
        name="models",
        job_factory=plugin.JobFactory(CONFIG),
        runtime_specs=[plugin.JobRuntimeSpec("now"), plugin.JobRuntimeSpec("later")],
        task_id="group",
        deferrable=True,
    )
    left = deferred(plugin, operator)
    jobs = left.trigger.jobs
    assert jobs[0]["record"]["exit_status"] == 0
    assert jobs[1] == {"title": "[1] ", "name": "train-1", "project": "p"}
    serve(stand_in)
    [event] = asyncio.run(fire(left.trigger))
    stand_in.wait_for_note("left")
    values = operator.execute_complete(context(), event)
    assert [value["exit_status"] for value in values] == [0, 0]
    assert orders(stand_in, "taken") == ["train-1"]


@pytest.mark.parametrize("fails", [True, False])
def test_what_is_over_already_is_kept_while_there_are_tries_left(plugin, stand_in, fails):
    stand_in.plays(
        f"""
        if "later" in stdin:
            answer({HANDED_OVER!r})
            sys.exit(0)
        """
        + SUCCEEDS.replace("\n", "\n        ")
    )
    operator = plugin.ComputeEngineJobGroupOperator(
        name="models",
        job_factory=plugin.JobFactory(CONFIG),
        runtime_specs=[plugin.JobRuntimeSpec("now"), plugin.JobRuntimeSpec("later")],
        task_id="group",
        deferrable=True,
    )
    trigger = deferred(plugin, operator, max_tries=2).trigger
    assert stand_in.notes == ["leash ended"]
    name = trigger.jobs[0]["record"]["name"]
    serve(stand_in, f"end(job, {int(fails)})")

    async def all_of_it():
        events = await fire(trigger)
        await until(lambda: "left" in stand_in.notes)
        return events

    [event] = asyncio.run(all_of_it())
    assert ("failure" in event["jobs"][1]) == fails
    # After a failure the next try gets that result again, and runs only what has failed.
    assert orders(stand_in, "taken") == (["train-1"] if fails else [name, "train-1"])


def test_the_event_of_a_failure_raises(plugin):
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train")
    with pytest.raises(plugin.AirflowException, match="boom") as error:
        operator.execute_complete(context(), {"jobs": [{"name": "a-1", "failure": "boom", "final": False}]})
    assert not isinstance(error.value, plugin.AirflowFailException)
    with pytest.raises(plugin.AirflowFailException):
        operator.execute_complete(context(), {"jobs": [{"name": "a-1", "failure": "boom", "final": True}]})


def test_a_wrong_job_does_not_defer(plugin, stand_in):
    stand_in.plays("say('no such machine type'); sys.exit(2)")
    operator = plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train", deferrable=True)
    with pytest.raises(plugin.AirflowFailException, match="no such machine type"):
        run(operator)
    assert option(stand_in.calls[0], "--attempt") == "1"


STATE = """
import importlib.util, subprocess, sys
subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
specification = importlib.util.spec_from_file_location("dagrun_plugin", sys.argv[1])
plugin = sys.modules["dagrun_plugin"] = importlib.util.module_from_spec(specification)
specification.loader.exec_module(plugin)

import datetime
from airflow import DAG
from airflow.models.taskinstance import TaskInstance
from airflow.operators.empty import EmptyOperator
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunType

start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
with DAG("d", start_date=start, schedule=None) as dag:
    EmptyOperator(task_id="t")
with create_session() as session:
    dag.sync_to_db(session=session)
    run = dag.create_dagrun(run_id="r", state=DagRunState.RUNNING, execution_date=start, run_type=DagRunType.MANUAL,
        data_interval=(start, start), session=session)
    session.flush()

class Instance:
    dag_id, task_id, run_id, map_index = "d", "t", "r", -1
trigger = plugin.ComputeEngineJobTrigger([])
trigger.task_instance = Instance()
for state in (None, "deferred", "running", "failed"):
    with create_session() as session:
        session.query(TaskInstance).update({"state": state})
    print(trigger._state_of_task())
Instance.task_id = "another"
print(trigger._state_of_task())
"""


def test_a_tasks_state_is_read_from_airflow_2(plugin, tmp_path):
    """What clears a task in Airflow 2 is told to a trigger by nothing else."""
    if importlib.util.find_spec("airflow.sdk") is not None:
        pytest.skip("this is Airflow 3")
    (tmp_path / "state.py").write_text(STATE)  # Airflow reads the file of a DAG
    done = subprocess.run(
        [sys.executable, "-W", "ignore", tmp_path / "state.py", plugin.__file__],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path / "airflow")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split()[-5:] == ["None", "deferred", "running", "failed", "None"], done.stdout + done.stderr


def test_airflow_3_is_asked_for_a_tasks_state_as_it_wants_to_be(plugin, monkeypatch):
    runner = pytest.importorskip("airflow.sdk.execution_time.task_runner", reason="this is Airflow 2")
    signature = inspect.signature(runner.RuntimeTaskInstance.get_task_states)
    asked = {}

    def get_task_states(**arguments):
        signature.bind(**arguments)
        asked.update(arguments)
        return {"r": {"t": "deferred"}}

    monkeypatch.setattr(runner.RuntimeTaskInstance, "get_task_states", get_task_states)
    trigger = plugin.ComputeEngineJobTrigger([])
    # A property, which wants a whole task instance, or an attribute of each trigger: another in each Airflow.
    vars(trigger).pop("task_instance", None)
    monkeypatch.setattr(
        plugin.ComputeEngineJobTrigger,
        "task_instance",
        SimpleNamespace(dag_id="d", task_id="t", run_id="r", map_index=2),
        raising=False,
    )
    assert trigger._state_of_task() == "deferred"
    assert asked == {"dag_id": "d", "task_ids": ["t"], "run_ids": ["r"], "map_index": 2}
