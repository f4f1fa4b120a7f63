

# --- Runs of Swift DAGs as one task ----------------------------------------------------------------------------------


class DagrunCommandOperator(BaseOperator):
    """What runs one command of dagrun, and lets it cancel what it does when the task is stopped."""

    _command: Command | None = None
    _was_killed = False

    def _result(self, arguments: Sequence[str], stdin: str | None = None, *, leash: bool = True) -> dict[str, Any]:
        """Waits for the command's JSON object, and tells it that it has been taken."""
        with self._running(arguments, stdin, leash) as command:
            result = command.result()
            command.taken()
        return result

    def _finished(self, arguments: Sequence[str], credentials: Credentials) -> Finished:
        """Waits for the end of a command that is told nothing."""
        with self._running(arguments, credentials=credentials, leash=False) as command:
            command.wait()
            self._refuse_if_killed()
            return command.finished()

    @contextlib.contextmanager
    def _running(
        self,
        arguments: Sequence[str],
        stdin: str | None = None,
        leash: bool = True,
        credentials: Credentials | None = None,
    ) -> Iterator[Command]:
        """A command that is cancelled when the task is ended."""
        self._refuse_if_killed()
        with Binary().start(
            arguments, stdin=stdin, on_line=self._log_line, leash=leash, credentials=credentials
        ) as command:
            self._command = command
            try:
                self._refuse_if_killed()
                yield command
            except SupervisorGone:
                raise
            except BaseException:
                # A timeout of Airflow, a kill, Ctrl-C.
                self._cancel(command)
                raise

    def _refuse_if_killed(self) -> None:
        """Airflow 3 continues with a task after its on_kill, which may come before there is a command to stop."""
        if self._was_killed:
            raise failure(f"Airflow ended the task {self.task_id}.")

    def on_kill(self) -> None:
        self._was_killed = True
        if self._command is not None:
            self._cancel(self._command)

    def _cancel(self, command: Command) -> None:
        if command.is_over or command.has_result:
            return
        self.log.info("stopping `%s` (process %s)", command.description, command.pid)
        command.terminate()
        patience = conf.getint("core", "killed_task_cleanup_time", fallback=60) - SECONDS_FOR_AIRFLOW
        with contextlib.suppress(SupervisorGone):
            run_until([command], lambda: command.is_over or command.has_result, time.monotonic() + patience)
        if command.is_over or command.has_result:
            command.taken()
        else:
            self.log.warning("process %s is not done with that; it continues without this task", command.pid)

    def _log_line(self, line: str) -> None:
        self.log.info("%s", line)


class DagrunTriggerOperator(DagrunCommandOperator):
    """Runs a Swift DAG, from its first task to its last, as one task of Airflow, and waits for it.

        DagrunTriggerOperator(task_id="train", dag_id="nightly", conf={"day": "{{ ds }}"})

    `dagrun trigger` does it: the run lives in dagrun's home on the worker's machine. When the worker dies, the tasks
    that run continue there; the next try follows that run to its end, or takes its result if it has ended meanwhile.
    Once a result was taken, whatever it was, another try begins a new run. A task that is stopped, cleared or timed out
    cancels its run.

    :param dag_id: the Swift DAG (templated, as `trigger_dag_id`).
    :param conf: values for its parameters (templated): a mapping, or the JSON text of one, which keeps numbers numbers
        where a template makes them: '{"top": {{ params.top }}}'.
    :param dags_folder: the folder of the Swift files. Default: $DAGRUN_DAGS_FOLDER, or else the folder of the Python
        file of this DAG; a relative path is relative to that.
    :return: the run: dag_run_id, state, start_date, end_date, … of `dagrun trigger -o json`.
    """

    # `dag_id` is what Airflow calls the DAG that a task belongs to.
    template_fields: Sequence[str] = ("trigger_dag_id", "conf", "dags_folder")
    template_fields_renderers: ClassVar[dict[str, str]] = {"conf": "json"}
    ui_color = "#f2e4d8"

    _note: RunNote | None = None

    def __init__(
        self,
        *,
        dag_id: str,
        conf: Mapping[str, Any] | str | None = None,
        dags_folder: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.trigger_dag_id = dag_id
        self.conf = conf
        self.dags_folder = None if dags_folder is None else os.fspath(dags_folder)

    def execute(self, context: Context) -> dict[str, Any]:
        note = self._note = RunNote.of(context)
        run, is_new = self._run_to_follow(note, context)
        arguments = ["trigger", run.dag_id, "--run-id", run.run_id, "--conf", run.conf, "-o", "json"]
        folder = swift_dags_folder(self.dags_folder, beside=self.dag.fileloc)
        try:
            # No leash: the run continues without this process.
            record = self._result([*arguments, "--dags-folder", folder], leash=False)
        except AirflowException:
            if is_new and self._exit_status() in NOTHING_WAS_BEGUN:
                note.remove()
            raise
        note.remove()
        return self._judged(record)

    def _cancel(self, command: Command) -> None:
        # A run that was cancelled is not followed by the next try.
        if self._note is not None and not command.is_over and not command.has_result:
            self._note.remove()
        super()._cancel(command)

    def _exit_status(self) -> int | None:
        return self._command.finished().exit_status if self._command is not None and self._command.is_over else None

    def _run_to_follow(self, note: RunNote, context: Context) -> tuple[FollowedRun, bool]:
        """The run of an earlier try whose result nobody took; or else a new one, which is noted. Whether it is new."""
        run = note.read()
        if run and run.dag_id == self.trigger_dag_id:
            self.log.info("An earlier try of this task began run %s of %s: following it.", run.run_id, run.dag_id)
            return run, False
        if run:
            self.log.warning("An earlier try began run %s of %s; this one is of another DAG.", run.run_id, run.dag_id)
        run = FollowedRun(self.trigger_dag_id, RunNote.new_run_id(context), self._conf_text())
        note.write(run)
        return run, True

    def _conf_text(self) -> str:
        conf = self.conf
        try:
            value = json.loads(conf) if isinstance(conf, str) else dict(conf or {})
            if isinstance(value, dict):
                return json.dumps(value, sort_keys=True)
        except (TypeError, ValueError) as error:
            raise failure(f"conf is not JSON: {error}", f"It is {conf!r}.", final=True) from error
        raise failure(f"conf must be a JSON object such as {{'day': '2026-01-31'}}, not {conf!r}", final=True)

    def _judged(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record of a run that succeeded; raises for one that did not, with the tasks that are to blame."""
        dag_id, run_id, state = record.get("dag_id"), record.get("dag_run_id"), record.get("state")
        failed = [said_of_task(task) for task in record.get("failed_tasks") or []]
        for line in failed:
            self.log.error("%s", line)
        if state == "success":
            return record
        names = "\n".join(failed) or "No task of it failed: it was cancelled, or took too long."
        raise failure(
            f"Run {run_id} of Swift DAG {dag_id} ended as {state}.\n{names}",
            f"The log of a task, on that machine: dagrun tasks logs {dag_id} {shlex.quote(str(run_id))} TASK",
        )


# Exit statuses with which a trigger has made no run: wrong values, no such DAG, a file that does not compile.
NOTHING_WAS_BEGUN = frozenset({2, 3, 4})


def said_of_task(task: Mapping[str, Any]) -> str:
    reason = task.get("reason")
    tries = f" at try {task['try_number']}" if task.get("try_number") else ""
    return f"task {task.get('task_id')}: {task.get('state')}{tries}" + (f": {reason}" if reason else "")


def swift_dags_folder(path: str | os.PathLike[str] | None, *, beside: str | None) -> str:
    """The absolute path of the folder of the Swift files; `beside`: the Python file that speaks of them."""
    here = os.path.dirname(os.path.abspath(beside)) if beside else os.getcwd()
    return os.path.abspath(os.path.join(here, os.path.expanduser(path or os.environ.get("DAGRUN_DAGS_FOLDER") or here)))


class FollowedRun(NamedTuple):
    """A run of a Swift DAG, as it was asked for."""

    dag_id: str
    run_id: str
    conf: str


class RunNote:
    """Which run a task waits for, noted in dagrun's home from before the run begins until its result has been taken.

    Airflow keeps nothing from one try of a task to the next, and the name of the run alone does not tell whether its
    result has been taken: after a worker's death it has not, after a task was cleared it has.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of(cls, context: Context) -> RunNote:
        key = "\n".join(str(part) for part in cls._parts(context))
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        return cls(Path(Binary.environment()["DAGRUN_HOME"]) / "airflow" / f"{name}.json")

    @classmethod
    def new_run_id(cls, context: Context) -> str:
        """Tells whose run it is; at most 240 bytes, and fit for a folder's name."""
        *parts, map_index = cls._parts(context)
        words = [*parts, *([map_index] if map_index >= 0 else []), f"try{context['ti'].try_number}"]
        text = re.sub(r"[^\w.:+=-]", "_", "__".join(["airflow", *map(str, words)]))
        # The same run of Airflow can begin anew, with try 1 (`airflow dags test`, a run that was deleted).
        return text.encode()[:220].decode(errors="ignore") + "__" + uuid.uuid4().hex[:8]

    @staticmethod
    def _parts(context: Context) -> tuple[str, str, str, int]:
        instance = context["ti"]
        index = getattr(instance, "map_index", None)
        return instance.dag_id, instance.task_id, instance.run_id, -1 if index is None else index

    def read(self) -> FollowedRun | None:
        try:
            return FollowedRun(**json.loads(self._path.read_text()))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError) as error:
            raise failure(
                f"{self._path}, which tells which run of a Swift DAG this task began, cannot be read: {error}",
                "Look for the run with `dagrun dags list-runs`, cancel it if it still runs, and remove that file.",
            ) from error

    def write(self, run: FollowedRun) -> None:
        """It is there as a whole, or not at all."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self._path.parent, delete=False) as file:
                json.dump(run._asdict(), file)
            os.replace(file.name, self._path)
        except OSError as error:
            raise failure(
                f"{self._path} cannot be written: {error}",
                "Set DAGRUN_HOME to a folder that Airflow's workers may write to.",
            ) from error

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
