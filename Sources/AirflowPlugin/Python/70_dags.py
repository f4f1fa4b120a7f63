

# --- Swift DAGs as DAGs of Airflow -----------------------------------------------------------------------------------


def dagrun_dags(
    path: str | os.PathLike[str] | None = None,
    *,
    default_args: Mapping[str, Any] | None = None,
) -> dict[str, DAG]:
    """A DAG of Airflow for each Swift DAG of a folder, by its id. In a file of Airflow's dags folder:

        from dagrun_plugin import dagrun_dags  # Airflow reads only files in which the word airflow stands

        globals().update(dagrun_dags("/path/to/swift/dags"))

    Each Swift task becomes a task of Airflow that runs `dagrun tasks run` for it, on whatever worker it is sent to;
    values go from task to task through XCom. A Swift file that does not compile becomes a DAG `import_error__FILE` that
    says what is wrong, for an import error of Airflow's would stop the DAGs of all the other files too. Only where no
    DAG is left it is one.

    :param path: the folder. Default: $DAGRUN_DAGS_FOLDER, or else the folder of the Python file that calls; a relative
        path is relative to that.
    :param default_args: what Swift does not say of tasks: owner, queue, executor_config, callbacks, …
    """
    caller = sys._getframe(1).f_globals.get("__file__")
    folder = swift_dags_folder(path, beside=caller)
    export = Binary().query("dags", "export", "-o", "json", "--dags-folder", folder)
    wanted = get_parsing_context().dag_id
    made: dict[str, DAG] = {}
    errors = ImportErrors(folder)
    for error in export["import_errors"]:
        errors.add(error["file"], error["message"], error.get("line"))
    for swift_dag in export["dags"]:
        # A worker parses the file for the one DAG that it runs a task of.
        if wanted is not None and swift_dag["id"] != wanted:
            continue
        mapped = [task for task in swift_dag["tasks"] if task.get("is_mapped")]
        if mapped:
            message = (
                f"DAG {swift_dag['id']} maps {', '.join(task['id'] for task in mapped)} over lists, which only dagrun's "
                "own scheduler does: run the whole DAG with DagrunTriggerOperator"
            )
            errors.add(swift_dag["file"], message, mapped[0]["line"], swift_dag["id"])
            continue
        try:
            made[swift_dag["id"]] = airflow_dag(swift_dag, folder, default_args or {})
        except Exception as error:  # what Airflow refuses in one DAG must not take the others away
            errors.add(swift_dag["file"], f"Airflow refuses DAG {swift_dag['id']}: {error}", None, swift_dag["id"])
    if wanted is None:
        errors.log()
        if errors and not made:
            raise failure(f"No Swift DAG of {folder} can be used.\n{errors}")
    made.update(errors.dags())
    return made if wanted is None else {wanted: made[wanted]} if wanted in made else {}


def airflow_dag(swift_dag: Mapping[str, Any], folder: str, default_args: Mapping[str, Any]) -> DAG:
    """One DAG of `dagrun dags export`. Raises whatever Airflow has against it."""
    schedule = swift_dag["schedule"]
    start_date = date_of(swift_dag["start_date"])
    doc = swift_dag["doc"]
    dag: Any = DAG(
        swift_dag["id"],
        schedule=airflow_schedule(schedule),
        start_date=start_date or default_start_date(schedule, swift_dag["file"]),
        end_date=date_of(swift_dag["end_date"]),
        # dagrun has no tick to begin with where there is no start date, and makes up for the newest one only.
        catchup=swift_dag["catchup"] and start_date is not None,
        # Airflow refuses more for a continuous DAG, which dagrun does not make either.
        max_active_runs=1 if schedule and schedule.get("continuous") else swift_dag["max_active_runs"],
        max_active_tasks=swift_dag["max_active_tasks"],
        dagrun_timeout=seconds(swift_dag["dagrun_timeout_seconds"]),
        params={param["name"]: airflow_param(param) for param in swift_dag["params"]},
        tags=swift_dag["tags"],
        description=doc.strip().splitlines()[0] if doc else None,
        doc_md=doc,
        default_args=dict(default_args),
    )
    groups = airflow_groups(swift_dag.get("groups", []), dag)
    tasks: dict[str, Any] = {task["id"]: airflow_task(task, dag, folder, groups) for task in swift_dag["tasks"]}
    for task in swift_dag["tasks"]:
        if task["upstream"]:
            tasks[task["id"]].set_upstream([tasks[upstream] for upstream in task["upstream"]])
        if task["role"] == "setup":
            tasks[task["id"]].as_setup()
        elif task["role"] == "teardown":
            setups = [tasks[setup] for setup in task["setups"]]
            tasks[task["id"]].as_teardown(setups=setups, on_failure_fail_dagrun=task["on_failure_fail_dagrun"])
    dag.validate()
    return cast("DAG", dag)


def airflow_groups(swift_groups: Iterable[Mapping[str, Any]], dag: DAG) -> dict[str, tuple[Any, str]]:
    """Airflow's group, and what ids in it begin with, by the group's id. Each group comes after the one it is in."""
    if not swift_groups:
        return {}
    TaskGroup = first_of("TaskGroup", "airflow.sdk", "airflow.utils.task_group")
    groups: dict[str, tuple[Any, str]] = {}
    for group in swift_groups:
        parent, prefix = groups[group["parent"]] if group["parent"] else (dag.task_group, "")
        made = TaskGroup(
            group_id=group["id"][len(prefix) :],
            prefix_group_id=bool(group["prefix"]),
            parent_group=parent,
            dag=dag,
            tooltip=group["doc"] or "",
        )
        groups[group["id"]] = (made, group["prefix"])
    return groups


def airflow_task(task: Mapping[str, Any], dag: DAG, folder: str, groups: Mapping[str, tuple[Any, str]]) -> BaseOperator:
    backoff = task["retry_backoff_multiplier"] or 0
    # Airflow puts the group's id before the task's.
    group, prefix = groups[task["group"]] if task.get("group") else (None, "")
    arguments: dict[str, Any] = {
        "task_id": task["id"][len(prefix) :],
        "task_group": group,
        "dag": dag,
        "trigger_rule": task["trigger_rule"],
        "retries": task["retries"],
        "retry_delay": seconds(task["retry_delay_seconds"]),
        # Earlier versions of Airflow know no multiplier but 2.
        "retry_exponential_backoff": backoff > 1 if KNOWS_NO_MULTIPLIER else backoff,
        "max_retry_delay": seconds(task["max_retry_delay_seconds"] or None),
        "pool": task["pool"],
        "pool_slots": task["pool_slots"],
        "priority_weight": task["priority_weight"],
        "weight_rule": task["weight_rule"],
        "depends_on_past": task["depends_on_past"],
        # Airflow starts the task as that user; dagrun finds itself there.
        "run_as_user": task.get("run_as_user"),
        "wait_for_past_depends_before_skipping": task["wait_for_past_depends_before_skipping"],
        "max_active_tis_per_dag": task["max_active_tis_per_dag"],
        "max_active_tis_per_dagrun": task["max_active_tis_per_dagrun"],
        "doc_md": task["doc"],
    }
    if task["operator"] == "EmptyOperator":
        return DagrunEmptyOperator(**arguments)
    if task["operator"] == "LatestOnlyOperator":
        return cast("BaseOperator", latest_only_operator()(**arguments))
    # dagrun itself ends what takes too long, and says so; a job's time counts from its container's start, and not while
    # it waits for a machine. Airflow's own timeout stands behind the others.
    if task["execution_timeout_seconds"] is not None and not task["is_job"]:
        arguments["execution_timeout"] = seconds(task["execution_timeout_seconds"] + SECONDS_TO_END_A_TASK)
    kind = deciding_operator() if task.get("decides") else DagrunTaskOperator
    return kind(dags_folder=folder, inputs=task["inputs"], is_job=task["is_job"], **arguments)


def airflow_schedule(schedule: Mapping[str, Any] | None) -> Any:
    if schedule is None:
        return None
    if schedule.get("once"):
        return "@once"
    if schedule.get("continuous"):
        return "@continuous"
    if "cron" not in schedule:
        raise failure(f"its schedule is of a kind that this plugin does not know: {json.dumps(schedule)}")
    # By their names, for what a cron expression alone means differs between Airflow 2 and 3, and by its configuration.
    timetable = CronDataIntervalTimetable if schedule["data_interval"] else CronTriggerTimetable
    return timetable(schedule["cron"], timezone=schedule["timezone"])


def default_start_date(schedule: Mapping[str, Any] | None, file: str) -> datetime.datetime | None:
    """Of a DAG that has none. Airflow 2 wants one of every DAG with a schedule."""
    if schedule is None:
        return None
    if "cron" in schedule:
        # So that it begins with the newest tick there was, as dagrun does.
        return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    if not NEEDS_START_DATE:
        return None
    # The date that its first run has: at once, and the same at each parse.
    changed = os.stat(file).st_mtime if os.path.exists(file) else 0
    return datetime.datetime.fromtimestamp(int(changed), tz=datetime.timezone.utc)


def airflow_param(param: Mapping[str, Any]) -> Param:
    schema = dict(param["schema"])
    description = schema.pop("description", None)
    if "default" in param:
        return Param(param["default"], description=description, **schema)
    return Param(description=description, **schema)


def date_of(text: str | None) -> datetime.datetime | None:
    # Python before 3.11 reads no "Z".
    return None if text is None else datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds(number: float | None) -> datetime.timedelta | None:
    return None if number is None else datetime.timedelta(seconds=number)


# dagrun gives a task that it stops 10 s.
SECONDS_TO_END_A_TASK = 30
IS_AIRFLOW_2 = AIRFLOW_VERSION.startswith("2.")
NEEDS_START_DATE = IS_AIRFLOW_2
# Airflow checks the argument's type, and the DAG against a schema.
KNOWS_NO_MULTIPLIER = inspect.signature(BaseOperator.__init__).parameters["retry_exponential_backoff"].default is False


class DagrunEmptyOperator(BaseOperator):
    """A Swift task without work. Airflow's scheduler ends it, without a worker."""

    inherits_from_empty_operator = True
    ui_color = "#e8f0e8"

    def execute(self, context: Context) -> None:
        pass


class DagrunTaskOperator(DagrunCommandOperator):
    """One task of a Swift DAG, which has the same ids: made by `dagrun_dags`.

    Its output goes to XCom as it is: numbers, texts, lists, objects. The outputs that it needs come from there.
    """

    ui_color = "#f7e9de"

    def __init__(
        self,
        *,
        dags_folder: str,
        inputs: Sequence[str] = (),
        is_job: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dags_folder = dags_folder
        self.inputs = list(inputs)
        self.is_job = is_job

    def execute(self, context: Context) -> Any:
        arguments = ["tasks", "run", self.dag_id, self.task_id, "--dags-folder", self.dags_folder]
        arguments += ["--context", "-", "-o", "json"]
        result = self._result(arguments, json.dumps(self._swift_context(context)))
        output = self._conclude(result)
        if result.get("skip"):
            self._skip_tasks(context, result["skip"])
        return output

    def _skip_tasks(self, context: Mapping[str, Any], task_ids: Sequence[str]) -> None:
        raise failure(f"{self.task_id} decides over {', '.join(task_ids)}, which this DAG does not know; parse it anew")

    def _swift_context(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """What `dagrun tasks run` is to know of the run: what Airflow does not have is left out."""
        instance, run = context["ti"], context["dag_run"]
        params = context.get("params") or {}
        dates: dict[str, Any] = {
            "logical_date": context.get("logical_date"),
            "data_interval_start": context.get("data_interval_start"),
            "data_interval_end": context.get("data_interval_end"),
            "run_after": getattr(run, "run_after", None),
            "previous_success_start": context.get("prev_data_interval_start_success"),
            "previous_success_end": context.get("prev_data_interval_end_success"),
        }
        return {
            "run_id": context["run_id"],
            "try_number": instance.try_number,
            # Parameters are what Airflow made of them; what the run was given besides can be read as well.
            "conf": {**(run.conf or {}), **(params.dump() if hasattr(params, "dump") else params)},
            "outputs": self._outputs(instance),
            **({"job": self._job(instance)} if self.is_job else {}),
            # Some are proxies, also of None.
            **{name: date.isoformat() for name, date in dates.items() if hasattr(date, "isoformat")},
        }

    def _job(self, instance: Any) -> dict[str, Any]:
        """As of the operators of jobs: a try continues with the job that a dead worker left."""
        return {"name": job_base_name(None, instance), "attempt": max(1, int(instance.try_number))}

    def _outputs(self, instance: Any) -> dict[str, Any]:
        """Of the tasks that this one reads; None of one that has handed nothing on, such as one that was skipped."""
        return {task_id: instance.xcom_pull(task_ids=task_id) for task_id in self.inputs}

    def _conclude(self, result: Mapping[str, Any]) -> Any:
        state, reason = result.get("state"), result.get("reason") or "it gave no reason"
        if state == "skipped":
            raise AirflowSkipException(reason)
        if state == "failed":
            raise failure(f"{self.task_id}: {reason}", final=not result.get("retry", True))
        if state != "success":
            raise failure(f"{self.task_id} ended in a state that this plugin does not know: {state}")
        return result.get("output")


@functools.cache
def deciding_operator() -> type[DagrunTaskOperator]:
    """The operator of a branch or a short circuit. Made where it is needed: what it stands on takes long to load."""
    # The provider may be installed in Airflow 2 too, and skips as Airflow 3 does.
    modules = ("airflow.sdk.bases.skipmixin", "airflow.providers.standard.utils.skipmixin")
    SkipMixin: Any = first_of("SkipMixin", *(("airflow.models.skipmixin",) if IS_AIRFLOW_2 else modules))

    class DagrunDecidingOperator(DagrunTaskOperator, SkipMixin):  # type: ignore[misc]
        """A task of a Swift DAG that decides which tasks below it run, as Airflow's own do."""

        ui_color = "#eee8aa"
        # So that Airflow asks, of a task below that is cleared, whether it was skipped before.
        inherits_from_skipmixin = True

        def _skip_tasks(self, context: Mapping[str, Any], task_ids: Sequence[str]) -> None:
            instance = context["ti"]
            # One that is new in the Swift file is not in this run.
            tasks = [self.dag.get_task(task_id) for task_id in task_ids if self.dag.has_task(task_id)]
            if not IS_AIRFLOW_2:
                # Ends the task by an exception, with success.
                self.skip(instance, tasks)
                return
            run = context["dag_run"]
            self.skip(dag_run=run, execution_date=run.execution_date, tasks=tasks, map_index=instance.map_index)

    return DagrunDecidingOperator


@functools.cache
def latest_only_operator() -> Any:
    """Airflow's own: only Airflow knows which of its runs is the latest."""
    if not IS_AIRFLOW_2:
        return first_of("LatestOnlyOperator", "airflow.providers.standard.operators.latest_only")
    LatestOnlyOperator: Any = first_of("LatestOnlyOperator", "airflow.operators.latest_only")

    class DagrunLatestOnlyOperator(LatestOnlyOperator):  # type: ignore[misc]
        """Airflow 2's looks for the present in the next run's data interval, which is empty in a cron trigger
        timetable: it would skip below every scheduled run."""

        def choose_branch(self, context: Any) -> list[str]:
            run, dag = context["dag_run"], context["dag"]
            following = None
            if not run.external_trigger:
                following = dag.next_dagrun_info(dag.get_run_data_interval(run), restricted=False)
            # Without a lower bound: a worker's clock may be behind the scheduler's.
            if following is None or datetime.datetime.now(datetime.timezone.utc) < following.run_after:
                return sorted(self.downstream_task_ids)
            self.log.info("Not the latest run: the next one was due at %s.", following.run_after)
            return []

    return DagrunLatestOnlyOperator


class ImportErrors:
    """Swift files, and DAGs, that Airflow cannot be given; as DAGs that say so."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._messages: dict[str, list[str]] = {}

    def add(self, file: str, message: str, line: int | None, dag_id: str | None = None) -> None:
        name = os.path.relpath(file, self._folder) if os.path.isabs(file) else file
        place = f"{name}:{line}" if line else name
        self._messages.setdefault(dag_id or name, []).append(f"{place}: {message}")

    def __bool__(self) -> bool:
        return bool(self._messages)

    def __str__(self) -> str:
        return "\n".join(message for messages in self._messages.values() for message in messages)

    def log(self) -> None:
        for messages in self._messages.values():
            for message in messages:
                logging.getLogger("airflow.dagrun").error("%s", message)

    def dags(self) -> dict[str, DAG]:
        return {dag.dag_id: dag for dag in (self._dag(*entry) for entry in self._messages.items())}

    def _dag(self, name: str, messages: Sequence[str]) -> DAG:
        dag_id = "import_error__" + re.sub(r"[^\w.-]", "_", name)[:200]
        text = "\n".join(messages)
        dag = DAG(
            dag_id,
            schedule=None,
            catchup=False,
            tags=["import error"],
            description=text.splitlines()[0][:500],
            # Indented, so that it is shown as it is.
            doc_md="\n".join(f"    {line}" for line in text.splitlines()),
        )
        DagrunImportErrorOperator(task_id="import_error", message=text, dag=dag)
        return dag


class DagrunImportErrorOperator(BaseOperator):
    """Stands for a Swift file that cannot be used: fails, and says why."""

    ui_color = "#f4c7c3"

    def __init__(self, *, message: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.message = message

    def execute(self, context: Context) -> None:
        raise failure(self.message, final=True)
