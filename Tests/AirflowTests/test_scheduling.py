"""Airflow and dagrun's core, asked the same questions: what trigger rules decide, also with setups and teardowns; what is
cleared with a task; what starts over when a task is marked.

Questions come from a seed, which a failure prints. DAGRUN_DECISION_SEED is another one (or `random`), DAGRUN_DECISION_COUNT
how many DAGs are asked about.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

airflow = pytest.importorskip("airflow")
if int(airflow.__version__.split(".")[0]) < 3:
    pytest.skip("dagrun decides as Airflow 3 does", allow_module_level=True)

from airflow.sdk import DAG, BaseOperator, TriggerRule  # noqa: E402
from airflow.serialization.serialized_objects import DagSerialization  # noqa: E402
from airflow.ti_deps.dep_context import DepContext  # noqa: E402
from airflow.ti_deps.deps.trigger_rule_dep import TriggerRuleDep  # noqa: E402

FIXTURE = Path(__file__).resolve().parents[2] / ".build/debug/DecisionFixture"
COUNT = int(os.environ.get("DAGRUN_DECISION_COUNT", "400"))
SEED = os.environ.get("DAGRUN_DECISION_SEED", "20261130")

ENDED = ["success", "failed", "skipped", "upstream_failed"]


def make_dag(rng: random.Random, number: int) -> DAG:
    """Up to nine tasks with any rules; some are setups, some tear them down."""
    count = rng.randint(2, 9)
    with DAG(f"dag_{number}", schedule=None) as dag:
        tasks = [BaseOperator(task_id=f"t{index}") for index in range(count)]
    kinds = ["work"] * count
    if rng.random() < 0.7:
        for index in range(count):
            kinds[index] = rng.choices(["work", "setup", "teardown"], [6, 2, 2])[0]
    for index, task in enumerate(tasks):
        for above in range(index):
            if rng.random() < 0.35:
                tasks[above] >> task
        if kinds[index] == "setup":
            task.as_setup()
        elif kinds[index] == "teardown":
            setups = [tasks[above] for above in range(index) if kinds[above] == "setup" and rng.random() < 0.6]
            task.as_teardown(setups=setups or None)
        if kinds[index] != "teardown" and rng.random() < 0.5:
            task.trigger_rule = rng.choice(list(TriggerRule))
    return dag


def as_question(dag: DAG) -> list[dict[str, Any]]:
    return [
        {
            "id": task.task_id,
            "upstream": sorted(task.upstream_task_ids),
            "rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
            "role": "setup" if task.is_setup else "teardown" if task.is_teardown else "work",
        }
        for task in dag.tasks
    ]


class Instance(SimpleNamespace):
    def get_dagrun(self, session: Any = None) -> None:
        return None

    def set_state(self, state: Any, session: Any = None) -> bool:
        self.decided = str(getattr(state, "value", state))
        return True


def decisions(dag: Any, states: dict[str, str]) -> dict[str, str]:
    """What Airflow does next with each task that waits."""
    instances = {
        task.task_id: Instance(
            task=task, task_id=task.task_id, dag_id=dag.dag_id, run_id="r", map_index=-1, state=states[task.task_id],
            decided=None,
        )
        for task in dag.tasks
    }  # fmt: skip
    finished = [instance for instance in instances.values() if instance.state in ENDED]
    answers = {}
    for task_id, instance in instances.items():
        if instance.state != "none":
            continue
        context = DepContext(flag_upstream_failed=True, finished_tis=finished)
        statuses = list(TriggerRuleDep()._get_dep_statuses(instance, context, session=None))
        passes = all(status.passed for status in statuses)
        answers[task_id] = instance.decided or ("run" if passes else "wait")
    return answers


def subset(dag: Any, task_ids: set[str], upstream: bool, downstream: bool) -> list[str]:
    return sorted(
        dag.partial_subset(task_ids=task_ids, include_upstream=upstream, include_downstream=downstream).task_dict
    )


def cleared_by_mark(dag: Any, task_id: str, states: dict[str, str]) -> list[str]:
    """As `set_task_instance_state` clears: of the subset what has failed, but not the task itself."""
    meant = subset(dag, {task_id}, upstream=False, downstream=True)
    return [other for other in meant if other != task_id and states[other] in ("failed", "upstream_failed")]


def ask(questions: list[dict[str, Any]]) -> list[Any]:
    if not os.access(FIXTURE, os.X_OK):
        pytest.skip(f"SKIPPED, NOT TESTED: there is no {FIXTURE}: swift build --build-tests")
    ended = subprocess.run(
        [FIXTURE], input=json.dumps(questions), capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_dagrun_decides_as_airflow():
    seed = str(random.SystemRandom().randrange(2**32)) if SEED == "random" else SEED
    rng = random.Random(seed)
    questions: list[dict[str, Any]] = []
    expected: list[Any] = []
    for number in range(COUNT):
        source = make_dag(rng, number)
        dag = DagSerialization.from_dict(DagSerialization.to_dict(source))
        tasks = as_question(source)
        ids = [task["id"] for task in tasks]
        for _ in range(4):
            states = {task_id: rng.choice([*ENDED, "success", "none", "none", "none", "running"]) for task_id in ids}
            questions.append({"ask": "decide", "tasks": tasks, "states": states})
            expected.append(decisions(dag, states))
        named = set(rng.sample(ids, rng.randint(1, min(3, len(ids)))))
        upstream, downstream = rng.random() < 0.5, rng.random() < 0.5
        questions.append(
            {"ask": "subset", "tasks": tasks, "named": sorted(named), "upstream": upstream, "downstream": downstream}
        )
        expected.append(subset(dag, named, upstream, downstream))
        states = {task_id: rng.choice(ENDED) for task_id in ids}
        marked, mark = rng.choice(ids), rng.choice(["success", "failed", "skipped"])
        questions.append({"ask": "mark", "tasks": tasks, "states": states, "named": [marked], "mark": mark})
        expected.append(cleared_by_mark(dag, marked, states))
    answers = ask(questions)
    different = [
        f"{json.dumps(question)}\n  Airflow: {wanted}\n  dagrun:  {answer}"
        for question, wanted, answer in zip(questions, expected, answers, strict=True)
        if wanted != answer
    ]
    assert not different, f"seed {seed}: {len(different)} of {len(questions)} differ, such as\n" + "\n".join(
        different[:3]
    )
