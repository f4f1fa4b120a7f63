# --- The program -----------------------------------------------------------------------------------------------------
#
# Every operator below runs `dagrun`, gives it a JSON text on standard input, shows its standard error as the task's log
# and reads one JSON object from its standard output. docs/exit-codes.md of dagrun tells its exit statuses.

# Exit statuses of dagrun with which it would end again, however often it is tried.
WRONG_USE, JOB_REFUSED, COMMAND_NOT_STARTED, JOB_CANCELLED, INTERRUPTED = 2, 242, 245, 248, 130
FINAL_STATUSES = frozenset({WRONG_USE, JOB_REFUSED, COMMAND_NOT_STARTED, JOB_CANCELLED})

# Lines of standard error that an exception quotes.
QUOTED_LINES = 20
# The program with its libraries, in one file.
ARCHIVE = ".tar.gz"
# How often a waiting task looks whether its supervisor lives.
WATCH_SECONDS = 1.0


def failure(message: str, hint: str = "", *, final: bool = False) -> AirflowException:
    """What a task raises: what failed on what, then what to do. `final`: no retry of the task can help."""
    text = f"{message}\n{hint}" if hint else message
    return AirflowFailException(text) if final else AirflowException(text)


class Finished(NamedTuple):
    """How a command of dagrun ended."""

    command: str
    exit_status: int  # below zero: the signal that killed it
    output: bytes
    last_lines: list[str]

    def json(self) -> Any:
        """The one JSON value on its standard output; raises where there is none."""
        try:
            return json.loads(self.output)
        except ValueError:
            pass
        if self.exit_status != 0 and not self.output.strip():
            raise self.failure()
        begin = self.output[:200].decode(errors="replace").strip() or "nothing at all"
        raise failure(
            f"`{self.command}` ended with status {self.exit_status}, and what it wrote is not JSON: {begin}",
            "Is the program that DAGRUN_BINARY (or PATH) names really dagrun, and not a script around it that prints?",
        )

    def failure(self, what: str = "") -> AirflowException:
        """The exception that says how it failed. dagrun itself has said why, and what to do, on standard error."""
        what = what or f"`{self.command}`"
        if self.exit_status < 0:
            name = signal_name(-self.exit_status)
            hint = "Out of memory, perhaps." if name == "SIGKILL" else "The task's log has what it said last."
            return failure(f"{what} was killed by {name}.", hint)
        said = "\n".join(self.last_lines) or "It said nothing."
        return failure(
            f"{what} failed with status {self.exit_status}: {said}", final=self.exit_status in FINAL_STATUSES
        )


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Binary:
    """The program dagrun: found, checked once for each process, and run.

    binary = Binary()
    binary.query("dags", "export", "-o", "json")                           # a short command: its JSON
    with binary.start(["job", "run", …], stdin=spec, on_line=self.log.info, leash=True) as command:
        result = command.result()                                          # a long one: log lines now, JSON at the end
        command.taken()
    """

    _checked: ClassVar[set[tuple[str, int, int]]] = set()
    # Of copies: what they were made of.
    _originals: ClassVar[dict[str, str]] = {}

    def __init__(self, path: str | None = None) -> None:
        self._given = path

    @property
    def path(self) -> str:
        """Where the program is; raises where there is none that can be run."""
        beside = Path(__file__).resolve().parent
        given = self._given or os.environ.get("DAGRUN_BINARY")
        # An archive without a folder is one that `dagrun airflow-plugin --bundle-binary` has put beside this file.
        own = str(beside / BINARY) if BINARY.endswith(ARCHIVE) else BINARY
        wanted = [given] if given else [own, str(beside / "dagrun")]
        for name in wanted:
            found = None if name.endswith(ARCHIVE) else shutil.which(name)
            if found:
                return os.path.abspath(found)
            if os.sep in name and os.path.isfile(name):
                return self._executable_copy(name)
        raise failure(
            f"The program dagrun was not found on this machine (looked for {' and '.join(wanted)}).",
            "Install it on every worker (and triggerer), and set DAGRUN_BINARY to its path if it is not in PATH; "
            "or write the plugin with it: dagrun airflow-plugin --bundle-binary.",
        )

    def check(self) -> str:
        """The program's path, once it is known to speak this file's protocol."""
        path = self.path
        about = os.stat(path)
        key = (path, about.st_mtime_ns, about.st_size)
        if key in Binary._checked:
            return path
        finished = self._run(path, ["version", "-o", "json"], None, 60)
        try:
            told = json.loads(finished.output)
            version, protocol = str(told["version"]), told["protocol"]
        except (ValueError, KeyError, TypeError):
            said = (finished.output.decode(errors="replace").strip() or "\n".join(finished.last_lines))[:200]
            raise failure(
                f"{path} does not say which protocol it speaks; it said: {said or 'nothing'}. "
                f"This plugin is of dagrun {VERSION} and speaks protocol {PROTOCOL}.",
                f"Install dagrun {VERSION} there, or write the plugin anew with that program: dagrun airflow-plugin.",
            ) from None
        if protocol != PROTOCOL:
            raise failure(
                f"{path} is dagrun {version} and speaks protocol {protocol}; "
                f"this plugin is of dagrun {VERSION} and speaks protocol {PROTOCOL}.",
                "Write the plugin anew with that program (dagrun airflow-plugin), "
                f"or install dagrun {VERSION} on every worker.",
            )
        Binary._checked.add(key)
        return path

    def query(
        self,
        *arguments: str,
        stdin: str | None = None,
        timeout_seconds: float = 120,
        accept: Collection[int] = (0,),
        credentials: Credentials | None = None,
    ) -> Any:
        """The JSON of a short command. An exit status that is not in `accept` raises."""
        finished = self._run(self.check(), arguments, stdin, timeout_seconds, credentials)
        if finished.exit_status not in accept:
            raise finished.failure()
        return finished.json()

    def start(
        self,
        arguments: Sequence[str],
        *,
        stdin: str | None = None,
        on_line: Callable[[str], None],
        leash: bool = True,
        credentials: Credentials | None = None,
    ) -> Command:
        """Begins a long command. With `leash`, ` --leash FD` is added to its arguments."""
        return Command(self.check(), arguments, stdin, on_line, leash, credentials)

    @staticmethod
    def environment() -> dict[str, str]:
        """What the program is run with: DAGRUN_HOME is $AIRFLOW_HOME/dagrun unless it is set."""
        environment = dict(os.environ)
        home = environment.get("AIRFLOW_HOME") or os.path.expanduser("~/airflow")
        environment.setdefault("DAGRUN_HOME", os.path.join(home, "dagrun"))
        return environment

    @staticmethod
    def describe(arguments: Sequence[str]) -> str:
        return " ".join(["dagrun", *arguments])

    def _run(
        self,
        path: str,
        arguments: Sequence[str],
        stdin: str | None,
        timeout_seconds: float,
        credentials: Credentials | None = None,
    ) -> Finished:
        try:
            with (credentials or Credentials()).handed_on() as (environment, descriptors):
                done = subprocess.run(
                    [path, *arguments],
                    input=(stdin or "").encode(),
                    capture_output=True,
                    timeout=timeout_seconds,
                    env=environment,
                    pass_fds=descriptors,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            raise failure(
                f"`{self.describe(arguments)}` did not answer within {timeout_seconds:g} s.",
                "The machine may be overloaded, or its disk slow.",
            ) from None
        except OSError as error:
            raise cannot_run(path, error) from error
        lines = done.stderr.decode(errors="replace").splitlines()
        return Finished(self.describe(arguments), done.returncode, done.stdout, lines[-QUOTED_LINES:])

    def _executable_copy(self, name: str) -> str:
        """A copy of it that may be run: Cloud Storage, where Composer keeps files, knows no such right. Of an
        archive, as `dagrun airflow-plugin deploy` makes it: what is in it, the program beside its libraries.
        """
        about = os.stat(name)
        folder = Path(self.environment()["DAGRUN_HOME"]) / "bin"
        copied = folder / f"dagrun-{about.st_size}-{about.st_mtime_ns}"
        program = copied / "dagrun" if name.endswith(ARCHIVE) else copied
        self._make_private(folder, copied)
        if not program.exists():
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if name.endswith(ARCHIVE):
                    self._unpack(name, copied)
                else:
                    self._copy(name, copied)
            except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
                raise failure(
                    f"{name} may not be executed as it is, and could not be copied to {copied}: {error}",
                    f"It may not have arrived as a whole yet; {folder} has to be writable (set DAGRUN_HOME), "
                    "or set DAGRUN_BINARY to a program that can be run.",
                ) from error
        if not program.exists():
            raise failure(
                f"{name} has no program dagrun in it.",
                "Make it anew: dagrun airflow-plugin --bundle-binary, or for Composer dagrun airflow-plugin deploy.",
            )
        for path in (folder, copied, program):
            if not is_safe(path):
                raise failure(
                    f"{path} may have been written by somebody else, so that it is not run.",
                    f"Remove {folder}, and let it be made again in a folder that only this user may write to.",
                )
        Binary._originals[str(program)] = name
        return str(program)

    @staticmethod
    def _make_private(folder: Path, copied: Path) -> None:
        """A folder of this user's that others could write to is closed, and what lies in it is not believed."""
        if is_safe(folder) or not folder.is_dir() or folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            return
        os.chmod(folder, stat.S_IMODE(folder.stat().st_mode) & ~(stat.S_IWGRP | stat.S_IWOTH))
        if copied.is_dir() and not copied.is_symlink():
            shutil.rmtree(copied)
        elif os.path.lexists(copied):
            os.unlink(copied)

    @staticmethod
    def _copy(name: str, copied: Path) -> None:
        with tempfile.NamedTemporaryFile(dir=copied.parent, delete=False) as file:
            with open(name, "rb") as original:
                shutil.copyfileobj(original, file)
            os.fchmod(file.fileno(), stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
        os.replace(file.name, copied)

    @staticmethod
    def _unpack(name: str, copied: Path) -> None:
        # Another process may do the same: whose folder is whole first, is taken.
        made = tempfile.mkdtemp(dir=copied.parent)
        try:
            with tarfile.open(name) as archive:
                # Python before 3.12 knows no filters, unless it has got them with a correction.
                safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
                archive.extractall(made, **safely)
            try:
                os.rename(made, copied)
            except OSError:
                if not copied.exists():
                    raise
        finally:
            shutil.rmtree(made, ignore_errors=True)


def is_safe(path: Path) -> bool:
    """Whether only this user and root can have written it."""
    try:
        about = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    others = stat.S_IWGRP | stat.S_IWOTH
    return about.st_uid in (0, os.geteuid()) and not about.st_mode & others and not stat.S_ISLNK(about.st_mode)


def cannot_run(path: str, error: OSError) -> AirflowException:
    original = Binary._originals.get(path)
    copy_of = f" (a copy of {original}, which is not executable)" if original else ""
    return failure(
        f"{path}{copy_of} cannot be run: {error.strerror or error}.",
        "It must be the dagrun of this machine's system and processor (uname -sm), and executable (chmod +x).",
    )


class Command:
    """A command of dagrun that takes its time: log lines as they come, one JSON object when there is one.

    It has a session of its own: the signals with which Airflow ends a task's processes do not reach it, so that it can
    remove what the job has, even when Airflow kills the task meanwhile. What ends with this process, however that ends,
    is the leash: a pipe whose other end the command holds. At its end of file the command leaves; the job continues.
    """

    def __init__(
        self,
        path: str,
        arguments: Sequence[str],
        stdin: str | None,
        on_line: Callable[[str], None],
        leash: bool,
        credentials: Credentials | None = None,
    ) -> None:
        self.description = Binary.describe(arguments)
        self._on_line = on_line
        self._output = bytearray()
        self._unread = bytearray()
        self._value: Any = None
        self._has_value = False
        self._last_lines: deque[str] = deque(maxlen=QUOTED_LINES)
        self._terminated = False
        self._was_let_go = False
        self._leash: int | None = None
        reading: int | None = None
        if leash:
            # Both ends are closed in every other program that is begun; of forks, see _let_go_of_leashes.
            reading, self._leash = os.pipe()
            _leashes.add(self._leash)
            arguments = [*arguments, "--leash", str(reading)]
        try:
            handed_on = (credentials or Credentials()).handed_on()
            with tempfile.TemporaryFile() as file, handed_on as (environment, descriptors):
                # A file, not a pipe: writing it cannot wait for the command. It has no name, so nobody can read it.
                file.write((stdin or "").encode())
                file.seek(0)
                self._process = subprocess.Popen(
                    [path, *arguments],
                    stdin=file,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=environment,
                    pass_fds=descriptors if reading is None else (*descriptors, reading),
                    start_new_session=True,
                )
        except OSError as error:
            self.let_go()
            raise cannot_run(path, error) from error
        except BaseException:
            # A handler of signals has raised. What may have begun all the same is nobody's, and leaves.
            self.let_go()
            raise
        finally:
            if reading is not None:
                os.close(reading)
        assert self._process.stdout and self._process.stderr
        self._open: dict[int, IO[bytes]] = {}
        for pipe in (self._process.stdout, self._process.stderr):
            os.set_blocking(pipe.fileno(), False)
            self._open[pipe.fileno()] = pipe

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()
        self._open.clear()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_result(self) -> bool:
        """Whether its JSON object is there. With a leash the command waits then for `taken`."""
        return self._has_value

    @property
    def value(self) -> Any:
        """Its JSON value, as soon as that is there."""
        return self._value

    @property
    def last_lines(self) -> list[str]:
        """The newest lines of its standard error."""
        return list(self._last_lines)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and all that it wrote has been read."""
        return not self._open and self._process.poll() is not None

    def result(self) -> dict[str, Any]:
        """Waits for its JSON object. Raises where it ends without one."""
        run_until([self], lambda: self._has_value or self.is_over)
        value = self._value if self._has_value else self.finished().json()
        if not isinstance(value, dict):
            raise failure(f"`{self.description}` wrote JSON, but no object: {str(value)[:200]}")
        return value

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it ended, within `seconds`."""
        end = None if seconds is None else time.monotonic() + seconds
        return run_until([self], lambda: self.is_over, end)

    def finished(self) -> Finished:
        """How it ended; only of one that `is_over`."""
        return Finished(self.description, self._process.wait(), bytes(self._output), list(self._last_lines))

    def leave(self) -> None:
        """Lets go, and waits for the end. A result that was not taken is reported again, to whoever asks next."""
        self.let_go()
        self.wait(30)

    def taken(self) -> None:
        """Tells that the result has been taken, which is noted: it will not be reported again. Waits for the end."""
        if self._leash is not None:
            with contextlib.suppress(OSError):
                os.write(self._leash, b"taken\n")
        if not self.wait(30):
            self._on_line(f"`{self.description}` (process {self.pid}) has not ended yet; it is left alone.")
        self.let_go()

    def terminate(self) -> None:
        """Asks it, once, to cancel what it does and to remove everything. At a second signal it would flee. One that
        was released is left alone: somebody else may have its job by now."""
        if self._process.poll() is None and not self._terminated and not self._was_let_go:
            self._terminated = True
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    def let_go(self) -> None:
        """Closes the leash: the command leaves; what it began continues. One that is cancelling finishes that."""
        leash, self._leash = self._leash, None
        if leash is None:
            return
        self._was_let_go = True
        # Airflow's on_kill may come here on another thread, or from a handler of signals in the midst of this: whoever
        # takes the leash out closes it, once. Its number may be another file's a moment later.
        with contextlib.suppress(KeyError):
            _leashes.remove(leash)
            os.close(leash)

    # What run_until needs.

    def _pipes(self) -> Iterable[int]:
        return list(self._open)

    def _read(self, pipe: int) -> None:
        try:
            data = os.read(pipe, 65536)
        except BlockingIOError:
            return
        if not data:
            self._close(pipe)
            return
        assert self._process.stdout
        if pipe == self._process.stdout.fileno():
            self._output += data
            if not self._has_value and self._output.rstrip().endswith((b"}", b"]")):
                with contextlib.suppress(ValueError):
                    self._value = json.loads(self._output)
                    self._has_value = True
        else:
            self._unread += data
            *lines, rest = self._unread.split(b"\n")
            self._unread = rest
            for line in lines:
                self._line(bytes(line))

    def _line(self, data: bytes) -> None:
        line = data.decode(errors="replace").rstrip("\r")
        self._last_lines.append(line)
        self._on_line(line)

    def _close(self, pipe: int) -> None:
        self._open.pop(pipe, None)
        if not self._open and self._unread:
            rest, self._unread = self._unread, bytearray()
            self._line(bytes(rest))

    def _close_what_others_hold(self) -> None:
        for pipe in list(self._open):
            self._close(pipe)


def run_until(commands: Sequence[Command], done: Callable[[], bool], end: float | None = None) -> bool:
    """Reads what the commands write until `done`, or until the time `end` (monotonic); whether it is done."""
    supervisor = Supervisor()
    quiet_since: dict[int, float] = {}
    while not done():
        now = time.monotonic()
        if end is not None and now >= end:
            return False
        with selectors.DefaultSelector() as selector:
            for command in commands:
                for pipe in command._pipes():
                    selector.register(pipe, selectors.EVENT_READ, command)
            pause = WATCH_SECONDS if end is None else min(WATCH_SECONDS, end - now)
            if selector.get_map():
                ready = selector.select(pause)
            else:
                ready = []
                time.sleep(min(pause, 0.02))  # its pipes are closed: it is about to end
        for key, _ in ready:
            key.data._read(key.fd)
        for command in commands:
            # A pipe may be held open by something that the command left behind: it is not waited for.
            if ready or not command._pipes() or command._process.poll() is None:
                continue
            if time.monotonic() - quiet_since.setdefault(command.pid, time.monotonic()) >= WATCH_SECONDS:
                command._close_what_others_hold()
        if not ready and supervisor.is_gone():
            for command in commands:
                command.let_go()
            raise SupervisorGone(
                "The process of Airflow that watched over this task is gone. "
                "What the task began continues; the task's next try takes it over."
            )
    return True


class SupervisorGone(AirflowException):
    """Nobody hears this task's process any more; see Supervisor."""


# Leashes that this process holds. A process that is forked from it must not hold them too: they would outlive it.
_leashes: set[int] = set()


def _let_go_of_leashes() -> None:
    for leash in list(_leashes):
        with contextlib.suppress(OSError):
            os.close(leash)
    _leashes.clear()


os.register_at_fork(after_in_child=_let_go_of_leashes)


class Supervisor:
    """The process that runs a task's process and reports on it. Killed, it leaves the task's process behind, unheard:
    Airflow then begins the task anew elsewhere, so this process must give the task up."""

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._socket = self._airflow_3_socket()
        self._is_watched = self._socket is None and self._is_supervised_by_airflow_2()

    def is_gone(self) -> bool:
        if self._socket is not None:
            try:
                return self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
            except BlockingIOError:
                return False
            except OSError:
                return True
        return self._is_watched and os.getppid() != self._parent

    @staticmethod
    def _airflow_3_socket() -> socket.socket | None:
        runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
        channel = getattr(getattr(runner, "SUPERVISOR_COMMS", None), "socket", None)
        return channel if isinstance(channel, socket.socket) else None

    @staticmethod
    def _is_supervised_by_airflow_2() -> bool:
        try:
            from setproctitle import getproctitle  # Airflow 2 has it, and names its processes by it

            return getproctitle().startswith("airflow task runner") or "--raw" in sys.argv
        except ImportError:
            return "--raw" in sys.argv
