"""The same Swift DAGs, run by dagrun and by Airflow, come to the same states, task by task. With the real dagrun.

Airflow runs them as `airflow dags test` does (`dag.test()`), in a process and a home of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from conftest import plugin_source

SWIFT = Path(__file__).parent / "swift"

# Of Airflow's dags folder.
FILE = "from dagrun_plugin import dagrun_dags  # for airflow\n\nglobals().update(dagrun_dags({!r}))\n"


class World:
    """A home of Airflow with the plugin, one of dagrun, and the Swift files."""

    def __init__(self, folder: Path, binary: str) -> None:
        self.folder = folder
        self.binary = binary
        self._known: dict[str, dict] = {}
        self.environment = {
            **os.environ,
            "AIRFLOW_HOME": str(folder / "airflow"),
            "DAGRUN_HOME": str(folder / "dagrun"),
            "DAGRUN_BINARY": binary,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "airflow" / "dags"),
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "PYTHONWARNINGS": "ignore",
        }
        (folder / "airflow" / "dags").mkdir(parents=True)
        (folder / "airflow" / "plugins").mkdir()
        (folder / "airflow" / "plugins" / "dagrun_plugin.py").write_text(plugin_source())
        (folder / "airflow" / "dags" / "dags_of_swift.py").write_text(
            FILE.format(str(SWIFT))
        )
        self._run([sys.executable, "-m", "airflow", "db", "migrate"])

    def _run(self, command: list[str], accept=(0,)) -> str:
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode in accept, f"{command}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        return done.stdout

    def dagrun(self, *arguments: str, accept=(0,)):
        return json.loads(
            self._run([self.binary, *arguments, "-o", "json", "--dags-folder", str(SWIFT)], accept=accept) or "null"
        )

    def states_in_dagrun(self, dag_id: str) -> dict[str, str]:
        self.dagrun("trigger", dag_id, "-r", "compare", accept=(0, 1))
        listed = self.dagrun("tasks", "states-for-dag-run", dag_id, "compare")
        return {task["task_id"]: task["state"] for task in listed}

    def in_airflow(self, dag_id: str, conf: dict | None = None) -> dict:
        """A run's state, its tasks' states, and their outputs. A run without conf is made once."""
        if conf is None and dag_id in self._known:
            return self._known[dag_id]
        script = self.folder / "run_dag.py"
        script.write_text(textwrap.dedent(RUN_DAG))
        answer = self.folder / "answer.json"
        self._run([sys.executable, str(script), dag_id, json.dumps(conf or {}), str(answer)])
        told = json.loads(answer.read_text())
        if conf is None:
            self._known[dag_id] = told
        return told


    def listed_by_airflow(self, swift_folder: Path) -> tuple[set[str], list]:
        """The DAGs, and the import errors, that Airflow finds with one more folder of Swift files."""
        (self.folder / "airflow" / "dags" / "more_of_swift.py").write_text(
            FILE.format(str(swift_folder))
        )
        airflow = [sys.executable, "-m", "airflow", "dags"]
        self._run([*airflow, "reserialize"])
        dags = listed(self._run([*airflow, "list", "-o", "json"]))
        errors = listed(self._run([*airflow, "list-import-errors", "-o", "json"], accept=(0, 1)))
        return {dag["dag_id"] for dag in dags}, errors


def listed(text: str) -> list:
    """The JSON list among what Airflow 2 logs to standard output; none where Airflow says that there is nothing."""
    for line in text.splitlines():
        if line.startswith(("[{", "[]")):
            return json.loads(line)
    return []


# Airflow logs to standard output, so the answer goes to a file.
RUN_DAG = """
    import json
    import os
    import sys
    import warnings

    warnings.simplefilter("ignore")
    for folder in ("plugins", "dags"):
        sys.path.append(os.path.join(os.environ["AIRFLOW_HOME"], folder))
    dag_id, conf, answer = sys.argv[1:]

    import dags_of_swift

    run = vars(dags_of_swift)[dag_id].test(run_conf=json.loads(conf))

    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    try:
        from airflow.models.xcom import XComModel
    except ImportError:
        from airflow.models.xcom import XCom as XComModel

    def text(state):
        return None if state is None else str(getattr(state, "value", state))

    with create_session() as session:
        tasks = session.query(TaskInstance).filter_by(dag_id=dag_id, run_id=run.run_id).all()
        xcoms = session.query(XComModel).filter_by(dag_id=dag_id, run_id=run.run_id, key="return_value").all()
        told = {
            "state": text(run.state),
            "states": {task.task_id: text(task.state) for task in tasks},
            "outputs": {
                xcom.task_id: json.loads(xcom.value) if isinstance(xcom.value, bytes) else xcom.value
                for xcom in xcoms
            },
        }
    with open(answer, "w") as file:
        json.dump(told, file)
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory, real_binary):
    return World(tmp_path_factory.mktemp("real"), real_binary)


@pytest.mark.parametrize("dag_id", ["values", "rules", "tries", "scratch", "branches", "circuits", "groups"])
def test_airflow_and_dagrun_bring_each_task_to_the_same_state(world, dag_id):
    in_dagrun = world.states_in_dagrun(dag_id)
    in_airflow = world.in_airflow(dag_id)
    differ = {
        task: (in_dagrun.get(task), in_airflow["states"].get(task))
        for task in in_dagrun.keys() | in_airflow["states"].keys()
        if in_dagrun.get(task) != in_airflow["states"].get(task)
    }
    assert differ == {}, "task: (in dagrun, in Airflow)"
    assert len(in_dagrun) > 2


def test_values_keep_their_types_from_task_to_task(world):
    told = world.in_airflow("values")
    assert told["states"]["judge"] == "success"
    outputs = told["outputs"]
    assert outputs["number"] == 6
    assert outputs["names"] == ["a", "it's"]
    assert outputs["report"] == {"name": "a+it's", "counts": {"all": 6}}
    assert outputs["judge"] is True
    assert outputs["without"] == "none"
    assert "skipped" not in outputs


def test_a_run_is_given_parameters(world):
    told = world.in_airflow("values", {"top": 5})
    assert told["outputs"]["number"] == 10
    assert told["states"]["judge"] == "failed"


def test_airflow_lists_swift_dags_beside_a_broken_file(world, tmp_path):
    (tmp_path / "sound.swift").write_text('import Dagrun\nDAG("sound", schedule: .daily) { EmptyOperator("a") }\n')
    (tmp_path / "broken.swift").write_text('import Dagrun\nDAG("broken") { EmptyOperator(x) }\n')
    listed, errors = world.listed_by_airflow(tmp_path)
    assert {"sound", "import_error__broken.swift", "values"} <= listed
    assert errors == []
    (tmp_path / "sound.swift").unlink()
    listed, errors = world.listed_by_airflow(tmp_path)
    assert "values" in listed
    assert len(errors) == 1 and "broken.swift:2" in json.dumps(errors) and "cannot find 'x'" in json.dumps(errors)
