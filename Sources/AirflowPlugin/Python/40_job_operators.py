

# --- Operators of jobs -----------------------------------------------------------------------------------------------
#
# The job of a task is named after dag, task, run and map index (BASE), and its try: BASE-1, BASE-2 … A try whose worker
# died leaves its job running, or a result that nobody took; the next try continues with that job, or reports that
# result, and no second machine is paid for. Only when a result was taken does the next try begin a new job.

# Failures that are not the program's, and that no retry mends.
FINAL_KINDS = frozenset({"permission", "invalid_request", "command_not_executable", "command_not_found"})

# dagrun's job names have 50 characters at most; the try comes behind the base.
LONGEST_BASE = 46
# A machine without a bound of its own may live this much longer than its task's execution_timeout. Google's own bound
# is 120 days.
SECONDS_BEYOND_TIMEOUT, LONGEST_RUN_SECONDS = 3600, 120 * 86400
# Of the wait for a job's removal, this much is left to Airflow, to end the task.
SECONDS_FOR_AIRFLOW = 5


def slug(text: str, longest: int) -> str:
    """The text in lower-case letters, digits and single hyphens, beginning with a letter."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not words[:1].isalpha():
        words = f"job-{words}"
    return words[:longest].strip("-")


def job_base_name(prefix: str | None, ti: Any, index: int | None = None) -> str:
    """The name of a task's job without its try: readable, and the same in every try of one task in one run."""
    map_index = getattr(ti, "map_index", -1)
    identity = [ti.dag_id, ti.task_id, ti.run_id, map_index, index]
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:10]
    return f"{slug(prefix or f'{ti.dag_id}-{ti.task_id}', LONGEST_BASE - 11)}-{digest}"


def failure_of_job(record: Mapping[str, Any], last_lines: Sequence[str]) -> AirflowException | None:
    """What to raise for a job's record (of `dagrun job run -o json`); None when it succeeded."""
    name, ending, status = record.get("name"), record.get("ending"), record.get("exit_status")
    if ending == "exited" and status == 0:
        return None
    if ending == "exited":
        log = "\n".join(last_lines)
        return failure(f"The program of job {name} ended with status {status}. The last lines of its log:\n{log}")
    if ending == "cancelled":
        return failure(
            f"Job {name} was cancelled, and not by Airflow.",
            "Somebody said `dagrun job cancel`? Clear the task to run it again.",
            final=True,
        )
    told = record.get("failure")
    if not isinstance(told, Mapping):
        return failure(
            f"What dagrun said of job {name} is not a job's result: {json.dumps(record)[:200]}",
            "Are program and plugin of the same version? `dagrun airflow-plugin` writes the plugin anew.",
        )
    kind = told.get("kind")
    return failure(f"Job {name} failed, not by its program ({kind}): {told.get('message')}", final=kind in FINAL_KINDS)


def value_of_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a task returns, and so its XCom: job (its name), exit_status, duration_seconds, total_seconds, zone,
    machine_type, spot, attempts (machines), preemptions, cost, output (what the program wrote to $DAGRUN_OUTPUT: the
    value of its JSON, else the text), left_behind (resources that could not be removed)."""
    output = record.get("output")
    if isinstance(output, str):
        with contextlib.suppress(ValueError):
            output = json.loads(output)
    return {
        "job": record.get("name"),
        **(record.get("result") or {}),
        "exit_status": record.get("exit_status"),
        "output": output,
        "left_behind": record.get("left_behind") or [],
    }


class JobRun:
    """One job of a task, run by one `dagrun job run`."""

    def __init__(
        self, base: str, spec: dict[str, Any], log: Any, title: str = "", credentials: Credentials | None = None
    ) -> None:
        self.base = base
        self.spec = spec
        self.title = title
        self._credentials = credentials
        self._log = log
        self._command: Command | None = None
        # Of an earlier command of the job; closed with the last one.
        self._past: list[Command] = []
        self.is_cancelled = False
        self.record: dict[str, Any] | None = None
        self.error: AirflowException | None = None

    @property
    def command(self) -> Command:
        assert self._command is not None
        return self._command

    @property
    def has_begun(self) -> bool:
        return self._command is not None

    @property
    def is_settled(self) -> bool:
        return self.command.has_result or self.command.is_over

    @property
    def was_handed_over(self) -> bool:
        """Its machine is asked for, and nobody drives it."""
        value = None if self._command is None else self._command.value
        return isinstance(value, dict) and value.get("handed_over") is True

    def begin(self, attempt: int, hand_over: bool) -> None:
        """Runs the job, or continues with the one that an earlier try began."""
        options = ["--spec", "-", "-o", "json", "--name", self.base, "--attempt", str(attempt)]
        if hand_over:
            options.append("--hand-over")
        self.record, self.error = None, None
        self._command = Binary().start(
            ["job", "run", *options], stdin=self._spec_text(), on_line=self.say, credentials=self._credentials
        )

    def _spec_text(self) -> str:
        try:
            return json.dumps(self.spec)
        except (TypeError, ValueError) as error:
            raise failure(
                f"The spec of job {self.base} is not JSON: {error}.",
                "job_config takes texts, numbers, lists and dicts only.",
                final=True,
            ) from error

    def cancel(self) -> None:
        """Asks, once, for its end; the program removes what the job has, also without this process."""
        if self.is_cancelled:
            return
        handed_over = self.command.value if self.was_handed_over else None
        self.is_cancelled = True
        if handed_over is None:
            self.command.terminate()
            return
        self._past.append(self.command)
        arguments = ["job", "cancel", handed_over["name"], "--project", handed_over["project"]]
        self._command = Binary().start(arguments, on_line=self.say, leash=False, credentials=self._credentials)

    def say(self, line: str) -> None:
        self._log.info("%s%s", self.title, line)

    def settle(self) -> None:
        """Takes what the settled command said into `record` or `error`."""
        if self.is_cancelled:
            self.error = failure(f"Job {self.base} was cancelled, for Airflow ended the task.")
            return
        try:
            self.record = self.command.result()
        except AirflowException as error:
            self.error = error
            return
        if self.was_handed_over:
            return
        for left in self.record.get("left_behind") or []:
            self._log.warning("%sleft behind, for `dagrun job gc`: %s", self.title, left)
        self.error = failure_of_job(self.record, self.command.last_lines)

    def is_of_a_cancelled_try(self, attempt: int) -> bool:
        """Whether the result is the cancellation of an earlier try: this one came after it, so its job begins anew."""
        record = self.record or {}
        return not self.is_cancelled and record.get("ending") == "cancelled" and record.get("attempt") != attempt

    def cancellation(self) -> str:
        """How far its cancellation is."""
        # `dagrun job cancel`, of a job that was handed over, has no result; its log tells what is left behind.
        was_removed = bool(self._past) and self.command.is_over and self.command.finished().exit_status == 0
        if self.command.has_result or was_removed:
            left = ", ".join(self.left_behind())
            return f"job {self.base} is cancelled; {f'left behind: {left}' if left else 'nothing is left'}"
        hint = "`dagrun job list` tells, and `dagrun job gc` removes what a process could not."
        if self.command.is_over:
            # Without a result: it crashed, or somebody killed it.
            return f"process {self.command.pid} ended before it had removed what job {self.base} has. {hint}"
        return f"job {self.base} is not removed yet; process {self.command.pid} continues with it. {hint}"

    def left_behind(self) -> list[str]:
        """What a cancelled job could not remove, as far as it said."""
        with contextlib.suppress(AirflowException):
            return [str(left) for left in self.command.result().get("left_behind") or []]
        return []

    def close(self) -> None:
        for command in [*self._past, *filter(None, [self._command])]:
            command.__exit__()


# Where a task says which jobs are its own, for its link.
JOBS_KEY = "dagrun_jobs"


class JobLink(BaseOperatorLink):
    """In Airflow's page of a task: a page of Google's console about its jobs."""

    def page(self, names: Sequence[str]) -> str:
        """The page's address, without its project."""
        raise NotImplementedError

    def address(self, jobs: Mapping[str, Any]) -> str:
        page = f"https://console.cloud.google.com/{self.page(jobs['names'])}"
        return f"{page}?project={urllib.parse.quote(str(jobs['project']))}"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        xcom = first_of("XCom", "airflow.sdk.execution_time.xcom", "airflow.models.xcom")
        jobs = xcom.get_value(ti_key=ti_key, key=JOBS_KEY)
        return self.address(jobs) if isinstance(jobs, Mapping) else ""


class JobLogLink(JobLink):
    """What Google's log has of its machines, by their names."""

    name = "Google Cloud log"

    def page(self, names: Sequence[str]) -> str:
        query = " OR ".join(f'"{name}"' for name in names)
        return f"logs/query;query={urllib.parse.quote(query, safe='')}"


class JobMachinesLink(JobLink):
    """The machines of its project: its own are there while they run."""

    name = "Google Cloud VMs"

    def page(self, names: Sequence[str]) -> str:
        return "compute/instances"


class JobTask(BaseOperator):
    """What the operators of jobs share: running them, ending them, and waiting for them in the triggerer.

    :param deferrable: waits in the triggerer, so that no worker is occupied; Airflow's `default_deferrable` by default.
    :param gcp_conn_id: a Google Cloud connection of Airflow whose key makes and watches the machines; without it, the
        credentials of the worker and the triggerer do.
    :param impersonation_chain: the service account that does it in their place, or several of them, each of which may
        act as the next one.
    """

    operator_extra_links: Collection[Any] = (JobLogLink(), JobMachinesLink())

    _was_killed = False

    def __init__(
        self,
        *,
        deferrable: bool | None = None,
        gcp_conn_id: str | None = None,
        impersonation_chain: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.gcp_conn_id = gcp_conn_id
        self.impersonation_chain = impersonation_chain
        if deferrable is None:
            deferrable = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = deferrable
        self._runs: list[JobRun] = []

    def jobs(self, context: Context) -> list[JobRun]:
        """The task's jobs; nothing has begun."""
        raise NotImplementedError

    def render_template(self, content: Any, context: Context, *others: Any, **options: Any) -> Any:
        """Airflow renders a dict's values and not its keys, but a bucket's path is a key of gcs_mounts."""
        rendered = super().render_template(content, context, *others, **options)
        if rendered is content or not isinstance(content, dict) or not isinstance(rendered, dict):
            return rendered  # as it is: what another task has given is not a template
        keys = [
            super(JobTask, self).render_template(key, context, *others, **options)
            if isinstance(key, str) and "{" in key
            else key
            for key in content
        ]
        made = dict(zip(keys, rendered.values()))
        if len(made) < len(keys):
            twice = next(key for key in made if keys.count(key) > 1)
            raise failure(f"Task {self.task_id}: two keys of a dict are the same once rendered: {twice!r}.", final=True)
        return made

    def credentials(self) -> Credentials:
        return Credentials.of(self.gcp_conn_id, self.impersonation_chain)

    def bounded(self, job_config: Mapping[str, Any]) -> dict[str, Any]:
        """`job` of a spec. Where the job has no bound of its own, the task's execution_timeout bounds its machines: a
        task that was killed in its last try cancels nothing."""
        job = spec_of_config(job_config)
        if self.execution_timeout is not None and job.get("max_run_duration_seconds") is None:
            seconds = math.ceil(self.execution_timeout.total_seconds()) + SECONDS_BEYOND_TIMEOUT
            job["max_run_duration_seconds"] = min(seconds, LONGEST_RUN_SECONDS)
        return job

    def value(self, values: list[dict[str, Any]]) -> Any:
        """What the task returns."""
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        ti: Any = context["ti"]
        runs = self._runs = self.jobs(context)
        self._push_links(runs, ti)
        attempt = max(1, int(ti.try_number))
        try:
            self._run_all(runs, attempt)
            if not any(run.was_handed_over for run in runs):
                return self._end(runs, ti)
            trigger = self._trigger(runs, ti)
            self._refuse_if_killed()
        except SupervisorGone:
            raise
        except BaseException:
            # A timeout of Airflow, a kill, Ctrl-C, or a job that could not begin: none is left running.
            self._cancel(runs)
            raise
        finally:
            self._runs = []
            for run in runs:
                run.close()
        self.defer(trigger=trigger, method_name="execute_complete")
        return None

    def _push_links(self, runs: Sequence[JobRun], ti: Any) -> None:
        jobs = {"project": runs[0].spec["job"]["project"], "names": [run.base for run in runs]}
        ti.xcom_push(key=JOBS_KEY, value=jobs)
        for link in self.operator_extra_links:
            # Airflow 3 asks for links when the task is over, and shows them from then on; so it has them from now on.
            key = getattr(link, "xcom_key", None)
            if key is not None and isinstance(link, JobLink):
                ti.xcom_push(key=key, value=link.address(jobs))

    def _run_all(self, runs: list[JobRun], attempt: int) -> None:
        for run in runs:
            self._begin(run, attempt)
        waiting = runs
        while waiting:
            self._wait(waiting)
            for run in waiting:
                run.settle()
            waiting = [run for run in waiting if run.is_of_a_cancelled_try(attempt)]
            for run in waiting:
                run.say(f"job {run.base} was cancelled in an earlier try; it begins anew")
                run.command.taken()
                run.close()
                self._begin(run, attempt)

    def _begin(self, run: JobRun, attempt: int) -> None:
        self._refuse_if_killed()
        run.begin(attempt, self.deferrable)
        self._refuse_if_killed()

    def _wait(self, runs: Sequence[JobRun]) -> None:
        """Until all are settled."""
        run_until([run.command for run in runs], lambda: self._was_killed or all(run.is_settled for run in runs))
        self._refuse_if_killed()

    def _refuse_if_killed(self) -> None:
        """Airflow 3 continues with a task after its on_kill, which may come before there is a job to cancel."""
        if self._was_killed:
            raise failure(f"Airflow ended the task {self.task_id}; its jobs are cancelled.")

    def _end(self, runs: list[JobRun], ti: Any) -> Any:
        errors = [run.error for run in runs if run.error is not None]
        # What has succeeded beside a failure is not taken while there are tries left: the next one reports it, and runs
        # only what failed.
        keeps_successes = will_be_retried(errors, ti)
        values = [value_of_record(run.record) for run in runs if run.record is not None and run.error is None]
        for run in runs:
            if run.error is None and keeps_successes:
                run.command.leave()
            else:
                run.command.taken()
        if errors:
            raise one_failure(errors, len(runs))
        return self.value(values)

    def _trigger(self, runs: list[JobRun], ti: Any) -> ComputeEngineJobTrigger:
        """Of the jobs that were handed over. What has ended already goes along."""
        may_retry = will_be_retried([failure("")], ti)
        jobs = []
        for run in runs:
            known: dict[str, Any] = {"title": run.title}
            if run.was_handed_over and run.record is not None:
                run.command.wait(30)
                known.update(name=run.record["name"], project=run.record["project"])
            elif run.error is not None:
                run.command.taken()
                known.update(failure=str(run.error), final=isinstance(run.error, AirflowFailException))
            elif may_retry and run.record is not None:
                # As in _end: should another job fail, it is the next try's.
                run.command.leave()
                known.update(record=run.record, kept=run.record["name"])
            else:
                run.command.taken()
                known.update(record=run.record)
            jobs.append(known)
        deadline = None
        if self.execution_timeout is not None and ti.start_date is not None:
            deadline = (ti.start_date + self.execution_timeout).timestamp()
        return ComputeEngineJobTrigger(
            jobs=jobs,
            deadline=deadline,
            may_retry=may_retry,
            gcp_conn_id=self.gcp_conn_id,
            impersonation_chain=list(accounts_of(self.impersonation_chain)) or None,
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Continues after the trigger: the jobs are over, and their results taken."""
        jobs = event["jobs"]
        errors = [failure(job["failure"], final=bool(job.get("final"))) for job in jobs if job.get("failure")]
        if errors:
            raise one_failure(errors, len(jobs))
        return self.value([value_of_record(job["record"]) for job in jobs])

    def on_kill(self) -> None:
        """Airflow ends the task: its jobs are cancelled, and all that they have is removed."""
        self._was_killed = True
        self._cancel(self._runs)
        # In `dags test` and dag.test() it comes after the task has deferred, too.
        cancel_inline_triggers()

    def _cancel(self, runs: Sequence[JobRun]) -> None:
        alive = [run for run in runs if run.has_begun and (not run.is_settled or run.was_handed_over)]
        if not alive:
            return
        # First of all: Airflow 3 kills this process five seconds after its first signal.
        for run in sorted(alive, key=lambda run: run.was_handed_over):
            run.cancel()
        for run in alive:
            run.say(f"cancelling job {run.base}; process {run.command.pid} removes what it has, also without this task")
        patience = conf.getint("core", "killed_task_cleanup_time", fallback=60) - SECONDS_FOR_AIRFLOW
        with contextlib.suppress(SupervisorGone):
            run_until(
                [run.command for run in alive],
                lambda: all(run.is_settled for run in alive),
                time.monotonic() + patience,
            )
        for run in alive:
            if run.is_settled:
                run.command.taken()
            run.say(run.cancellation())


def will_be_retried(errors: Sequence[AirflowException], ti: Any) -> bool:
    """Whether Airflow tries the task again after these failures."""
    if not errors or all(isinstance(error, AirflowFailException) for error in errors):
        return False
    return int(ti.try_number) <= int(getattr(ti, "max_tries", 0) or 0)


def one_failure(errors: Sequence[AirflowException], count: int) -> AirflowException:
    if count == 1:
        return errors[0]
    text = "\n\n".join(str(error) for error in errors)
    return failure(
        f"{len(errors)} of {count} jobs failed.\n\n{text}",
        final=all(isinstance(error, AirflowFailException) for error in errors),
    )


def airflow_labels(ti: Any) -> dict[str, str]:
    """Labels by which bills and `dagrun job list` tell whose a job is."""
    return {"airflow-dag": slug(ti.dag_id, 63), "airflow-task": slug(ti.task_id, 63)}


class ComputeEngineJobOperator(JobTask):
    """Runs a container on a machine of Compute Engine that exists only for it; returns how it went (value_of_record).

    Further parameters are those of JobTask.

    :param job_config: what JobConfigBuilder builds.
    :param cmd: a string is a shell script, a list a program and its arguments; an empty list runs what the image says.
    :param cmd_file: the path of a script, beside the DAG's file; its `#!` line or its extension says what runs it.
    :param name_prefix: how the job's name begins; dag and task by default. The same in every try of a run.
    :param env_vars: environment variable -> value.
    :param gcs_target: directory in the container -> bucket/path to which it is copied at the end. A directory that is
        missing or empty fails the job.
    :param gcs_mounts: bucket/path -> directory in the container, where its objects are when the command begins.
    :param timeout_seconds: from the container's first start; waiting for a machine does not count.
    :param render_cmd_file: the script is a template, as its path is.
    """

    template_fields: Sequence[str] = (
        "job_config",
        "cmd",
        "cmd_file",
        "env_vars",
        "gcs_target",
        "gcs_mounts",
        "timeout_seconds",
        "name_prefix",
        "gcp_conn_id",
        "impersonation_chain",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"job_config": "json", "cmd": "bash", "env_vars": "json"}
    ui_color = "#ceebff"

    def __init__(
        self,
        job_config: Mapping[str, Any],
        cmd: str | Sequence[str] | None = None,
        cmd_file: str | None = None,
        name_prefix: str | None = None,
        env_vars: Mapping[str, Any] | None = None,
        gcs_target: Mapping[str, str] | None = None,
        gcs_mounts: Mapping[str, str] | None = None,
        timeout_seconds: float | str | None = None,
        render_cmd_file: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_config = job_config
        self.cmd = cmd
        self.cmd_file = cmd_file
        self.name_prefix = name_prefix
        self.env_vars = env_vars
        self.gcs_target = gcs_target
        self.gcs_mounts = gcs_mounts
        self.timeout_seconds = timeout_seconds
        self.render_cmd_file = render_cmd_file
        if (cmd is None) == (cmd_file is None):
            given = "neither" if cmd is None else "both"
            raise failure(
                f"Task {self.task_id}: {given} of cmd and cmd_file is given.",
                "Give one: cmd (a string is a shell script, a list an argv, [] what the image says), or cmd_file.",
            )

    def jobs(self, context: Context) -> list[JobRun]:
        ti: Any = context["ti"]
        command: Any = self.cmd
        if self.cmd_file is not None:
            dag: Any = context.get("dag")
            command = script_path(self.cmd_file, getattr(dag, "fileloc", None))
        spec = spec_of_job(
            self.bounded(self.job_config),
            command,
            env_vars=self.env_vars,
            gcs_mounts=self.gcs_mounts,
            gcs_target=self.gcs_target,
            timeout_seconds=self.timeout_seconds,
            labels=airflow_labels(ti),
            render_script=(lambda text: str(self.render_template(text, context))) if self.render_cmd_file else None,
        )
        return [JobRun(job_base_name(self.name_prefix, ti), spec, self.log, credentials=self.credentials())]

    def value(self, values: list[dict[str, Any]]) -> Any:
        return values[0]


class ComputeEngineJobGroupOperator(JobTask):
    """Runs several jobs at the same time, and returns a list of how each went, in their order. Succeeds if all do; a
    retry runs those again that failed. Further parameters are those of JobTask.

    :param name: how the jobs' names begin.
    :param job_factory: JobFactory(job_config), what the jobs have in common.
    :param runtime_specs: a JobRuntimeSpec for each job.
    """

    template_fields: Sequence[str] = ("name", "job_config", "runtime_specs", "gcp_conn_id", "impersonation_chain")
    template_fields_renderers: ClassVar[dict[str, str]] = {"job_config": "json"}
    ui_color = "#99d4ff"

    def __init__(
        self,
        name: str,
        job_factory: JobFactory,
        runtime_specs: Sequence[JobRuntimeSpec],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.job_factory = job_factory
        # By what it has, not by its class: Airflow may load this file twice.
        self.job_config = getattr(job_factory, "job_config", None)
        self.runtime_specs = runtime_specs

    def jobs(self, context: Context) -> list[JobRun]:
        ti: Any = context["ti"]
        if not self.runtime_specs:
            raise failure(
                f"Task {self.task_id} has no jobs: runtime_specs is empty.",
                "Give a JobRuntimeSpec for each.",
                final=True,
            )
        if self.job_config is None:
            raise failure(
                f"Task {self.task_id}: job_factory is of type {type(self.job_factory).__name__}.",
                "Give JobFactory(job_config).",
                final=True,
            )
        credentials = self.credentials()
        runs = []
        for index, runtime in enumerate(self.runtime_specs):
            if not isinstance(runtime, Mapping):
                raise failure(
                    f"Task {self.task_id}: runtime_specs[{index}] is of type {type(runtime).__name__}.",
                    "Give a JobRuntimeSpec for each job.",
                    final=True,
                )
            if unknown := runtime.keys() - inspect.signature(JobRuntimeSpec).parameters.keys():
                raise failure(
                    f"Task {self.task_id}: runtime_specs[{index}] has the unknown key {min(map(str, unknown))!r}.",
                    "Give a JobRuntimeSpec for each job.",
                    final=True,
                )
            if "args" not in runtime:
                raise failure(
                    f"Task {self.task_id}: runtime_specs[{index}] has no args.",
                    "Give a JobRuntimeSpec for each job: its first argument is what it runs.",
                    final=True,
                )
            spec = spec_of_job(
                self.bounded(self.job_config),
                runtime["args"],
                env_vars=runtime.get("env_vars"),
                gcs_mounts=runtime.get("gcs_mounts"),
                gcs_target=runtime.get("gcs_target"),
                timeout_seconds=runtime.get("timeout_seconds"),
                labels=airflow_labels(ti),
            )
            prefix = f"{slug(self.name, LONGEST_BASE - 16)}-{index}"
            runs.append(JobRun(job_base_name(prefix, ti, index), spec, self.log, f"[{index}] ", credentials))
        return runs

    def value(self, values: list[dict[str, Any]]) -> Any:
        return values
