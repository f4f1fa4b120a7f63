"""What the tests of Swift DAGs need: `dagrun dags export` as values, and a task's context without a database."""

from __future__ import annotations

from types import SimpleNamespace


def swift_task(id: str, **said) -> dict:
    """A task of `dagrun dags export`, with its defaults."""
    return {
        "id": id,
        "operator": "SwiftOperator",
        "upstream": [],
        "inputs": [],
        "has_output": True,
        "trigger_rule": "all_success",
        "role": "work",
        "setups": [],
        "on_failure_fail_dagrun": False,
        "retries": 0,
        "retry_delay_seconds": 300.0,
        "retry_backoff_multiplier": None,
        "max_retry_delay_seconds": None,
        "execution_timeout_seconds": None,
        "pool": "default_pool",
        "pool_slots": 1,
        "priority_weight": 1,
        "weight_rule": "downstream",
        "depends_on_past": False,
        "wait_for_past_depends_before_skipping": False,
        "max_active_tis_per_dag": None,
        "max_active_tis_per_dagrun": None,
        "doc": None,
        "line": 3,
        "is_job": False,
        "is_mapped": False,
        "project": None,
        **said,
    }


def swift_dag(id: str, *tasks: dict, **said) -> dict:
    return {
        "id": id,
        "file": f"/swift/{id}.swift",
        "version": "0",
        "schedule": None,
        "start_date": None,
        "end_date": None,
        "catchup": False,
        "tags": [],
        "doc": None,
        "max_active_runs": 16,
        "max_active_tasks": 16,
        "dagrun_timeout_seconds": None,
        "params": [],
        "tasks": list(tasks) or [swift_task("only")],
        **said,
    }


def import_error(file: str, message: str, line: int | None = None) -> dict:
    return {"file": file, "line": line, "message": message, "details": None}


def exported(*dags: dict, errors: list | None = None) -> str:
    """The stand-in's script: it answers to `dags export`."""
    value = {"dags": list(dags), "import_errors": errors or []}
    return f"answer({value!r})"


class FakeInstance:
    """A task instance, as far as the plugin looks at it."""

    map_index = -1

    def __init__(self, dag_id="outer", task_id="task", run_id="manual__1", try_number=1, xcoms=None) -> None:
        self.dag_id, self.task_id, self.run_id, self.try_number = dag_id, task_id, run_id, try_number
        self.xcoms = xcoms or {}
        self.pushed: dict = {}

    def xcom_pull(self, task_ids):
        return self.xcoms.get(task_ids)

    def xcom_push(self, key, value):
        self.pushed[key] = value


def context_of(instance: FakeInstance, *, conf=None, params=None, run_after=None, **said) -> dict:
    return {
        "ti": instance,
        "run_id": instance.run_id,
        "dag_run": SimpleNamespace(conf=conf or {}, run_after=run_after, run_id=instance.run_id),
        "params": params or {},
        **said,
    }
