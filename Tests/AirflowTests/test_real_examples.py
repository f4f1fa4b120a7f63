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
    (CORE + "example_dynamic_task_mapping", "example_dynamic_task_mapping", {}),
    (CORE + "example_dynamic_task_mapping", "example_task_mapping_second_order", {}),
    (CORE + "example_branch_python_dop_operator_3", "example_branch_dop_operator_v3", {}),
]

# A Sunday, in an even minute.
DATE = "2026-01-04T00:02:00+00:00"

# A file of DAGs for Airflow: `dag.test()` runs only what its own folder has.
EXAMPLE_FILE = """
    import importlib
    import json
    import os
    import random

    import airflow

    random.choice = lambda options: options[1]


    def example(module, dag_id):
        values = vars(importlib.import_module(module)).values()
        dag = next(value for value in values if getattr(value, "dag_id", None) == dag_id and hasattr(value, "test"))
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
        return dag


    for module, dag_id in json.loads(os.environ["EXAMPLES"]):
        globals()[dag_id] = example(module, dag_id)
"""

# All in one process: an Airflow takes half a minute to start.
RUN_EXAMPLES = """
    import datetime
    import json
    import os
    import sys
    import traceback

    folder, date, answer = sys.argv[1:]
    sys.path.insert(0, folder)
    import examples

    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session



    def states(dag):
        run = dag.test(logical_date=datetime.datetime.fromisoformat(date))
        with create_session() as session:
            tasks = session.query(TaskInstance).filter_by(dag_id=dag.dag_id, run_id=run.run_id).all()
            return {f"{task.task_id}[{task.map_index}]": str(getattr(task.state, "value", task.state)) for task in tasks}


    answers = {}
    for _, dag_id in json.loads(os.environ["EXAMPLES"]):
        try:
            answers[dag_id] = states(getattr(examples, dag_id))
        except Exception:
            answers[dag_id] = traceback.format_exc()
    with open(answer, "w") as file:
        json.dump(answers, file)
"""


class Homes:
    """One of Airflow, one of dagrun."""

    def __init__(self, folder: Path, binary: str) -> None:
        self.folder, self.binary = folder, binary
        shipped = [(module, dag_id) for module, dag_id, _ in EXAMPLES if is_shipped(module)]
        self.environment = {
            **os.environ,
            "AIRFLOW_HOME": str(folder / "airflow"),
            "DAGRUN_HOME": str(folder / "dagrun"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "EXAMPLES": json.dumps(shipped),
            "PYTHONWARNINGS": "ignore",
        }
        self.states_in_airflow = self._run_in_airflow()

    def in_dagrun(self, dag_id: str, conf: dict) -> dict[str, str]:
        folder = ["--dags-folder", str(SWIFT)]
        self._run([self.binary, "trigger", dag_id, "-r", "r", "-l", DATE, "-c", json.dumps(conf), *folder])
        listed = self._run([self.binary, "tasks", "states-for-dag-run", dag_id, "r", "-o", "json", *folder])
        return {f"{task['task_id']}[{task['map_index']}]": task["state"] for task in json.loads(listed)}

    def _run_in_airflow(self) -> dict[str, dict[str, str] | str]:
        dags = self.folder / "airflow/dags"
        dags.mkdir(parents=True)
        (dags / "examples.py").write_text(textwrap.dedent(EXAMPLE_FILE))
        script = self.folder / "run_examples.py"
        script.write_text(textwrap.dedent(RUN_EXAMPLES))
        answers = self.folder / "states.json"
        self._run([sys.executable, "-m", "airflow", "db", "migrate"])
        self._run([sys.executable, str(script), str(dags), DATE, str(answers)])
        return json.loads(answers.read_text())

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout


def is_shipped(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


@pytest.fixture(scope="module")
def homes(tmp_path_factory, real_binary):
    return Homes(tmp_path_factory.mktemp("examples"), real_binary)


@pytest.mark.parametrize(("module", "dag_id", "conf"), EXAMPLES, ids=[dag_id for _, dag_id, _ in EXAMPLES])
def test_an_example_comes_to_the_same_states_in_both(homes, module, dag_id, conf):
    if not is_shipped(module):
        pytest.skip("this Airflow does not ship it")
    assert homes.in_dagrun(dag_id, conf) == homes.states_in_airflow[dag_id]
