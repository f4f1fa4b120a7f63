

# --- The trigger of deferrable jobs ----------------------------------------------------------------------------------
#
# A deferrable task begins its job and hands it over: the job then belongs to whoever attaches to it by its name. All
# triggers of a triggerer that sign in with the same credentials share one `dagrun job serve`, which drives their jobs.
# It ends with the triggerer and leaves the jobs running; the next triggerer attaches to them.

# How long a cancelled job's removal is waited for; Airflow gives on_kill 30 s.
SECONDS_OF_CANCEL = 25.0
# A job that another process still drives (a triggerer that is ending, say) is asked for again, so often.
SECONDS_BETWEEN_ATTACHES, ATTACHES = 5.0, 60
HELD_BY_ANOTHER = 5
# The first question of a triggerer loads much of Airflow.
SECONDS_FOR_AN_ANSWER = 30.0
LONGEST_LINE_BYTES = 64 << 20


async def ask_airflow(question: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns that asks Airflow, and waits for its answer.

    Not by asyncio.to_thread: what Airflow 3.0 and 3.1 ask with would make an event loop in that thread, which reads the
    runner's answers beside this one. And never interrupted: an answer that nobody reads is taken for the next one.
    Either ends the whole triggerer.
    """
    asking = asyncio.ensure_future(sync_to_async(question)(*arguments))
    _asking.add(asking)
    asking.add_done_callback(_asking.discard)
    return await asyncio.shield(asking)


# The loop itself keeps no task that nobody waits for.
_asking: set[asyncio.Future[Any]] = set()


# A connection of Airflow, and accounts to act as.
Login = tuple[Union[str, None], tuple[str, ...]]


class JobServer:
    """The one `dagrun job serve` of an event loop and a login: begun with the first job, begun again if it dies, ended
    with the last."""

    _of_loop: ClassVar[tuple[asyncio.AbstractEventLoop, dict[Login, JobServer]] | None] = None

    def __init__(self, login: Login) -> None:
        self._login = login
        # Of the jobs that triggers follow: their projects, and what is said of them.
        self._projects: dict[str, str] = {}
        self._events: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        # Jobs that the process drives, or has been told to.
        self._attached: set[str] = set()
        # Of these, those that it removes; it is not told to leave them, for nobody else would continue with that.
        self._cancelling: set[str] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()
        self._reading: set[asyncio.Task[None]] = set()
        self._log = logging.getLogger(__name__)

    @classmethod
    def current(cls, login: Login) -> JobServer:
        """The server of the running loop."""
        loop = asyncio.get_running_loop()
        if cls._of_loop is None or cls._of_loop[0] is not loop:
            cls._of_loop = (loop, {})
        servers = cls._of_loop[1]
        if login not in servers:
            servers[login] = cls(login)
        return servers[login]

    async def attach(self, name: str, project: str) -> asyncio.Queue[dict[str, Any]]:
        """The events of a job, from now on."""
        events = self._events.setdefault(name, asyncio.Queue())
        self._projects[name] = project
        if name not in self._attached:
            await self._say({"attach": name, "project": project})
        return events

    async def cancel(self, name: str) -> None:
        self._cancelling.add(name)
        await self._say({"cancel": name})

    async def taken(self, name: str) -> None:
        await self._say({"taken": name})

    async def release(self, name: str) -> None:
        """Leaves a job as it is. Without jobs the server ends, once what it cancels is removed."""
        if self._events.pop(name, None) is None:
            return
        self._projects.pop(name, None)
        if name in self._attached:
            self._attached.discard(name)
            if name not in self._cancelling:
                self._write({"leave": name})
        if not self._events and self._process is not None:
            process, self._process = self._process, None
            if process.stdin is not None:
                process.stdin.close()

    async def ended(self) -> None:
        """Waits for the end of processes that have no jobs left."""
        if self._process is None and self._reading:
            await asyncio.wait(self._reading, timeout=SECONDS_OF_CANCEL)

    async def _say(self, order: Mapping[str, Any]) -> None:
        """Says it to the process. To a new one, all jobs are named first."""
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                self._attached.clear()
                self._process = await self._begin()
                for name, project in self._projects.items():
                    if "attach" not in order or name != order["attach"]:
                        self._write({"attach": name, "project": project})
            self._write(order)

    def _write(self, order: Mapping[str, Any]) -> None:
        if "attach" in order:
            self._attached.add(order["attach"])
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError, RuntimeError):  # it has died: _read begins another
                self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def _begin(self) -> asyncio.subprocess.Process:
        path = await asyncio.to_thread(Binary().check)
        credentials = Credentials()
        if any(self._login):
            try:
                credentials = await asyncio.wait_for(ask_airflow(Credentials.of, *self._login), SECONDS_FOR_AN_ANSWER)
            except AirflowException:
                raise
            except Exception as error:
                raise failure(f"Airflow does not give the connection {self._login[0]}: {error!r}.") from error
        try:
            with credentials.handed_on() as (environment, descriptors):
                process = await asyncio.create_subprocess_exec(
                    path,
                    "job",
                    "serve",
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                    env=environment,
                    pass_fds=descriptors,
                    limit=LONGEST_LINE_BYTES,
                    start_new_session=True,
                )
        except OSError as error:
            raise cannot_run(path, error) from error
        for reader in (self._read(process), self._read_errors(process)):
            # In a context of its own: what the server says is not of the trigger that began it.
            task = contextvars.Context().run(asyncio.create_task, reader)
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        return process

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            try:
                event = json.loads(line)
                name, kind = event.get("job"), event.get("event")
            except (ValueError, AttributeError):
                self._log.warning("dagrun job serve: %s", line.decode(errors="replace").rstrip())
                continue
            if kind in ("ended", "failed"):
                self._attached.discard(name)
                self._cancelling.discard(name)
            if name in self._events:
                self._events[name].put_nowait(event)
            elif kind == "refused":
                self._log.warning("dagrun job serve: %s", event.get("message"))
        status = await process.wait()
        if process is not self._process:
            return
        self._log.warning("dagrun job serve (process %s) ended with status %s; it begins again", process.pid, status)
        delay = 1.0
        told = ""
        while self._events and process is self._process:
            await asyncio.sleep(delay)
            try:
                await self._say_anew()
            except AirflowException as error:
                delay = min(delay * 2, 60.0)
                # Who reads a task's log does not read the triggerer's; and once is enough.
                text = f"dagrun job serve cannot begin, and is tried again: {error}"
                self._log.warning("%s", text)
                for events in self._events.values() if text != told else ():
                    events.put_nowait({"event": "note", "text": text})
                told = text

    async def _say_anew(self) -> None:
        for name in list(self._projects)[:1]:
            await self._say({"attach": name, "project": self._projects[name]})

    async def _read_errors(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr
        async for line in process.stderr:
            self._log.info("dagrun job serve: %s", line.decode(errors="replace").rstrip())


# The triggers that run without a triggerer, in the process of `dags test` or dag.test().
_inline: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []


@contextlib.contextmanager
def inline_trigger() -> Iterator[None]:
    """While a trigger runs in this process, the operator's on_kill cancels it."""
    task = asyncio.current_task()
    assert task is not None
    entry = (asyncio.get_running_loop(), task)
    _inline.append(entry)
    try:
        yield
    finally:
        _inline.remove(entry)


def cancel_inline_triggers() -> None:
    """Also from a handler of signals."""
    # Airflow may load this file twice; it runs triggers of the copy that it loaded last.
    running = getattr(sys.modules.get(__name__), "_inline", _inline)
    for loop, task in list(running):
        loop.call_soon_threadsafe(task.cancel)


class ComputeEngineJobTrigger(BaseTrigger):
    """Waits for a task's jobs, shows their logs, and carries their results.

    :param jobs: of each job `name`, `project` and `title` (the beginning of its log lines); one that was over before
        the task deferred has `record` or `failure` and `final`; and `kept`, its name, if its result is not taken yet.
    :param deadline: seconds since 1970: then the jobs are cancelled, for the task's execution_timeout is over.
    :param may_retry: the task has tries left; jobs that succeed beside one that fails are kept for the next try.
    :param gcp_conn_id: as that of JobTask.
    :param impersonation_chain: as that of JobTask.
    """

    def __init__(
        self,
        jobs: list[dict[str, Any]],
        deadline: float | None = None,
        may_retry: bool = False,
        gcp_conn_id: str | None = None,
        impersonation_chain: list[str] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call,unused-ignore]
        self.jobs = jobs
        self.deadline = deadline
        self.may_retry = may_retry
        self.gcp_conn_id = gcp_conn_id
        self.impersonation_chain = impersonation_chain
        self._ended: dict[int, dict[str, Any]] = {}
        self._has_fired = False
        self._killing: asyncio.Future[None] | None = None
        # Of the jobs that are being cancelled, by their places in `jobs`.
        self._removals: dict[int, asyncio.Future[None]] = {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        known: dict[str, Any] = {"jobs": self.jobs, "deadline": self.deadline, "may_retry": self.may_retry}
        known.update(gcp_conn_id=self.gcp_conn_id, impersonation_chain=self.impersonation_chain)
        return f"{type(self).__module__}.{type(self).__name__}", known

    def _server(self) -> JobServer:
        return JobServer.current((self.gcp_conn_id, accounts_of(self.impersonation_chain)))

    async def run(self) -> AsyncIterator[TriggerEvent]:
        in_triggerer = self.task_instance is not None
        try:
            with contextlib.nullcontext() if in_triggerer else inline_trigger():
                await self._wait()
        except AirflowException as error:
            # Without the program nothing is known of the jobs: they continue.
            for index, job in enumerate(self.jobs):
                self._ended.setdefault(index, self._unknown(job, error))
        except asyncio.CancelledError:
            # Ctrl-C in `dags test` or dag.test(): they call neither on_kill nor cleanup.
            if not in_triggerer:
                await self._cancel(SECONDS_OF_CANCEL)
                await self._leave_server()
            raise
        self._has_fired = True
        if not in_triggerer:
            # `dags test` and dag.test() use the first event, and never ask for another one.
            await self._take()
            await self._leave_server()
        told = {"jobs": [self._ended[index] for index in range(len(self.jobs))]}
        yield TriggerEvent(told)  # type: ignore[no-untyped-call,unused-ignore]
        # Airflow has the event. Had this process died before, the next triggerer would be told the same result again.
        if in_triggerer:
            await self._take()

    async def _take(self) -> None:
        """Acknowledges the results. A success beside a failure is kept while the task has tries left."""
        has_failure = any("failure" in job for job in self._ended.values())
        for job in self._ended.values():
            is_kept = "failure" not in job and has_failure and self.may_retry
            name = job["name"] if job.get("is_told") else job.get("kept")
            if name is not None and not is_kept:
                await self._server().taken(name)

    async def on_kill(self) -> None:
        """The task was cleared, marked or deleted (Airflow 3.3 and later say so): its jobs are cancelled."""
        if self._has_waiting_jobs:
            self._killing = asyncio.ensure_future(self._cancel(SECONDS_OF_CANCEL))
            await asyncio.wait({self._killing})

    async def cleanup(self) -> None:
        """The trigger leaves this process."""
        # In a task of its own: Airflow may cancel this one again (Airflow 2 does each second) until it has ended.
        leaving = asyncio.ensure_future(self._leave())
        while not leaving.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({leaving})

    async def _leave(self) -> None:
        """Before 3.3, Airflow does not say why the trigger leaves: the task's state does."""
        try:
            tells_of_kills = hasattr(BaseTrigger, "on_kill")
            if self._killing is not None:
                await asyncio.wait({self._killing})
            elif self._has_waiting_jobs and not tells_of_kills and await self._task_was_ended():
                await self._cancel(SECONDS_OF_CANCEL)
        finally:
            await self._release()

    async def _release(self) -> None:
        for name in self._names():
            await self._server().release(name)

    async def _leave_server(self) -> None:
        """Before the loop is closed, which only a triggerer's is not after each trigger."""
        await self._release()
        await self._server().ended()

    @property
    def _has_waiting_jobs(self) -> bool:
        return not self._has_fired and len(self._ended) < len(self.jobs)

    def _names(self) -> list[str]:
        return [job["name"] for job in self.jobs if "name" in job]

    async def _wait(self) -> None:
        """Until all jobs have ended, or the deadline is over."""
        left = None if self.deadline is None else self.deadline - time.time()
        waits = asyncio.gather(*(self._follow(index) for index in range(len(self.jobs))))
        try:
            await asyncio.wait_for(waits, left)
        except asyncio.TimeoutError:
            self.log.error("the task's execution_timeout is over")
            waiting = [index for index in range(len(self.jobs)) if index not in self._ended]
            await self._cancel(SECONDS_OF_CANCEL)
            for index in waiting:
                job = self.jobs[index]
                told = f"Job {job['name']} was cancelled: it was not over within the task's execution_timeout."
                is_told = self._ended.get(index, {}).get("is_told", False)
                self._ended[index] = {**job, "failure": told, "is_told": is_told}

    async def _follow(self, index: int) -> None:
        """Shows a job's log, until it has ended."""
        job = self.jobs[index]
        if "name" not in job:
            self._ended[index] = job
            return
        name, title = job["name"], job.get("title", "")
        lines: deque[str] = deque(maxlen=QUOTED_LINES)
        attaches = 1
        events = await self._server().attach(name, job["project"])
        while index not in self._ended:
            event = await events.get()
            kind = event.get("event")
            if kind in ("log", "note"):
                for line in str(event.get("text", "")).splitlines():
                    lines.append(line)
                    self.log.info("%s%s", title, line)
            elif kind == "ended":
                self._ended[index] = self._end(job, event, list(lines))
            elif kind == "failed" and event.get("exit_code") == HELD_BY_ANOTHER and attaches < ATTACHES:
                if attaches == 1:
                    self.log.info("%sanother process has job %s still: %s", title, name, event.get("message"))
                attaches += 1
                await asyncio.sleep(SECONDS_BETWEEN_ATTACHES)
                events = await self._server().attach(name, job["project"])
            elif kind == "failed":
                told = [f"Job {name} is not to be had: {event.get('message')}", str(event.get("hint") or "")]
                self._ended[index] = {**job, "failure": "\n".join(filter(None, told))}

    def _end(self, job: dict[str, Any], event: Mapping[str, Any], lines: list[str]) -> dict[str, Any]:
        record = event.get("result") or {}
        for left in record.get("left_behind") or []:
            self.log.warning("%sleft behind, for `dagrun job gc`: %s", job.get("title", ""), left)
        if event.get("text"):
            self.log.info("%s%s", job.get("title", ""), event["text"])
        error = failure_of_job({"name": job["name"], **record}, lines)
        if error is None:
            return {**job, "record": record, "is_told": True}
        return {**job, "failure": str(error), "final": isinstance(error, AirflowFailException), "is_told": True}

    def _unknown(self, job: dict[str, Any], error: AirflowException) -> dict[str, Any]:
        """Of a job that nobody could ask about. Who pays for it is told how to end it."""
        final = isinstance(error, AirflowFailException)
        what = f"Job {job.get('name')} continues"
        if self.may_retry and not final:
            what += "; the task's next try adopts it."
        else:
            what += f" to its limit; to end it: dagrun job cancel {job.get('name')} --project {job['project']}"
        return {**job, "failure": f"{error}\n{what}", "final": final}

    async def _cancel(self, seconds: float) -> None:
        """Cancels what has not ended; waits for its removal, and says what is left."""
        for index, job in enumerate(self.jobs):
            if index not in self._ended and index not in self._removals and "name" in job:
                self._removals[index] = asyncio.ensure_future(self._cancel_job(index))
        # Also those that an earlier call began: Airflow may cancel a trigger whose deadline has cancelled its jobs.
        waiting = {removal for removal in self._removals.values() if not removal.done()}
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        unfinished = []
        for index, removal in self._removals.items():
            if not removal.done():
                removal.cancel()
                unfinished.append(self.jobs[index]["name"])
            elif not removal.cancelled() and removal.exception() is not None:
                self.log.warning("cannot cancel job %s: %s", self.jobs[index]["name"], removal.exception())
        if unfinished:
            self.log.warning(
                "not removed yet: %s; `dagrun job list` tells, `dagrun job gc` removes", ", ".join(unfinished)
            )

    async def _cancel_job(self, index: int) -> None:
        server, name = self._server(), self.jobs[index]["name"]
        self.log.info("cancelling job %s", name)
        events = await server.attach(name, self.jobs[index]["project"])
        await server.cancel(name)
        kind = None
        while kind not in ("ended", "failed"):
            event = await events.get()
            kind = event.get("event")
            if kind in ("log", "note"):
                self.log.info("%s", event.get("text"))
        if kind == "ended":
            self._ended[index] = self._end(self.jobs[index], event, [])
            await server.taken(name)
            self.log.info("job %s is cancelled", name)
        else:
            self.log.warning("job %s could not be cancelled: %s", name, event.get("message"))

    async def _task_was_ended(self) -> bool:
        """Whether the task is no longer deferred: it was cleared, marked, or timed out. If it is, this triggerer is
        ending, or hands the trigger over. Without an answer the jobs are left: the next try continues with them."""
        try:
            state = await asyncio.wait_for(ask_airflow(self._state_of_task), SECONDS_FOR_AN_ANSWER)
        except asyncio.TimeoutError:
            self.log.warning("Airflow does not say the task's state: its jobs are left as they are")
            return False
        except Exception as error:
            self.log.warning("the task's state cannot be had (%s): its jobs are left as they are", error)
            return False
        return bool(state != "deferred")

    def _state_of_task(self) -> str | None:
        ti: Any = self.task_instance
        try:  # Airflow 3
            from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
        except ImportError:
            return state_in_database(ti)
        states = RuntimeTaskInstance.get_task_states(
            dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=ti.map_index
        )
        state = states.get(ti.run_id, {}).get(ti.task_id)
        return None if state is None else str(getattr(state, "value", state))


def state_in_database(ti: Any) -> str | None:
    """Of a task, in Airflow 2."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        query: Any = session.query(TaskInstance.state)
        row = query.filter_by(
            dag_id=ti.dag_id, task_id=ti.task_id, run_id=ti.run_id, map_index=ti.map_index
        ).one_or_none()
    return None if row is None or row[0] is None else str(getattr(row[0], "value", row[0]))
