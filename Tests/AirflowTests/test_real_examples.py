"""Airflow's shipped examples, run by Airflow, and their rewriting in Swift (dags/examples), run by dagrun, come to the same
states, task by task. With the real dagrun.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from airflow import __version__ as airflow_version

if airflow_version.startswith("2."):
    pytest.skip("this is Airflow 2", allow_module_level=True)

SWIFT = Path(__file__).resolve().parents[2] / "dags/examples"

CORE, STANDARD = "airflow.example_dags.", "airflow.providers.standard.example_dags."

# The module, the DAG, dagrun's conf. Where Airflow's example throws dice, it throws "b".
EXAMPLES = [
    (STANDARD + "example_branch_operator", "example_branch_operator", {"option": "b"}),
    (CORE + "example_nested_branch_dag", "example_nested_branch_dag", {}),
    (STANDARD + "example_short_circuit_operator", "example_short_circuit_operator", {}),
    (STANDARD + "example_latest_only", "latest_only", {}),
    (CORE + "example_latest_only_with_trigger", "latest_only_with_trigger", {}),
    (CORE + "example_task_group", "example_task_group", {}),
    (CORE + "example_task_group_decorator", "example_task_group_decorator", {}),
    (CORE + "example_skip_dag", "example_skip_dag", {}),
    (CORE + "example_setup_teardown", "example_setup_teardown", {}),
    (STANDARD + "example_branch_day_of_week_operator", "example_weekday_branch_operator", {}),
    (STANDARD + "example_branch_datetime_operator", "example_branch_datetime_operator_3", {}),
    (CORE + "example_branch_python_dop_operator_3", "example_branch_dop_operator_v3", {}),
]

# A Sunday, in an even minute.
DATE = "2026-01-04T00:02:00+00:00"

# A file of DAGs for Airflow: `dag.test()` runs only what its own folder has.
EXAMPLE = """
    import importlib
    import os
    import random

    import airflow

    random.choice = lambda options: options[1]
    loaded = importlib.import_module(os.environ["EXAMPLE_MODULE"])
    dag_id = os.environ["EXAMPLE_DAG"]
    dag = next(value for value in vars(loaded).values() if getattr(value, "dag_id", None) == dag_id and hasattr(value, "test"))
    del loaded
    # Airflow's branches by date look at the clock, unless they are told otherwise.
    for task in dag.tasks:
        if hasattr(task, "use_task_logical_date"):
            task.use_task_logical_date = True
    # What needs other Pythons and what they install.
    for task in list(dag.tasks):
        if "ext_py" in task.task_id or "venv" in task.task_id or "ext_python" in task.task_id:
            del dag.task_dict[task.task_id]
            dag.task_group.children.pop(task.task_id, None)
    for task in dag.tasks:
        task.downstream_task_ids.intersection_update(dag.task_dict)
"""

RUN_EXAMPLE = """
    import datetime
    import json
    import sys

    folder, date, answer = sys.argv[1:]
    sys.path.insert(0, folder)
    from example import dag

    run = dag.test(logical_date=datetime.datetime.fromisoformat(date))

    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        tasks = session.query(TaskInstance).filter_by(dag_id=dag.dag_id, run_id=run.run_id).all()
        states = {task.task_id: str(getattr(task.state, "value", task.state)) for task in tasks}
    with open(answer, "w") as file:
        json.dump(states, file)
"""


class Homes:
    """One of Airflow, one of dagrun."""

    def __init__(self, folder: Path, binary: str) -> None:
        self.folder, self.binary = folder, binary
        self.environment = {
            **os.environ,
            "AIRFLOW_HOME": str(folder / "airflow"),
            "DAGRUN_HOME": str(folder / "dagrun"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "PYTHONWARNINGS": "ignore",
        }
        self.dags = folder / "airflow/dags"
        self.dags.mkdir(parents=True)
        (self.dags / "example.py").write_text(textwrap.dedent(EXAMPLE))
        self.script = folder / "run_example.py"
        self.script.write_text(textwrap.dedent(RUN_EXAMPLE))
        first = {"EXAMPLE_MODULE": EXAMPLES[0][0], "EXAMPLE_DAG": EXAMPLES[0][1]}
        self._run([sys.executable, "-m", "airflow", "db", "migrate"], first)

    def _run(self, command: list[str], also: dict[str, str] | None = None) -> str:
        environment = {**self.environment, **(also or {})}
        done = subprocess.run(
            command, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def in_dagrun(self, dag_id: str, conf: dict) -> dict[str, str]:
        folder = ["--dags-folder", str(SWIFT)]
        self._run([self.binary, "trigger", dag_id, "-r", "r", "-l", DATE, "-c", json.dumps(conf), *folder])
        listed = self._run([self.binary, "tasks", "states-for-dag-run", dag_id, "r", "-o", "json", *folder])
        return {task["task_id"]: task["state"] for task in json.loads(listed)}

    def in_airflow(self, module: str, dag_id: str) -> dict[str, str]:
        answer = self.folder / f"{dag_id}.json"
        example = {"EXAMPLE_MODULE": module, "EXAMPLE_DAG": dag_id}
        self._run([sys.executable, str(self.script), str(self.dags), DATE, str(answer)], example)
        return json.loads(answer.read_text())


@pytest.fixture(scope="module")
def homes(tmp_path_factory, real_binary):
    return Homes(tmp_path_factory.mktemp("examples"), real_binary)


@pytest.mark.parametrize(("module", "dag_id", "conf"), EXAMPLES, ids=[dag_id for _, dag_id, _ in EXAMPLES])
def test_an_example_comes_to_the_same_states_in_both(homes, module, dag_id, conf):
    if importlib.util.find_spec(module) is None:
        pytest.skip("this Airflow does not ship it")
    assert homes.in_dagrun(dag_id, conf) == homes.in_airflow(module, dag_id)
