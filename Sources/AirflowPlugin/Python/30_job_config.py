

# --- What a job is ---------------------------------------------------------------------------------------------------
#
# The names, their order and their defaults are those of Clash (pyclash): a DAG written for it changes its import only.
# What a builder builds are the keys of `job` in a spec of `dagrun job run --spec`; dagrun checks them, and
# says what is wrong with a value. A dict with Clash's own keys does too.

# What is not here has dagrun's default: zone europe-west1-b, machine n1-standard-4, service account "default",
# Container-Optimized OS, the project's default network.
DEFAULT_JOB_CONFIG: dict[str, Any] = {"image": "google/cloud-sdk"}


# Those of its values that are numbers, which a template gives as text.
NUMBERS_OF_A_CONFIG = frozenset({"disk_size_gb", "max_attempts"})


class JobConfigBuilder:
    """The machine and the container that jobs have in common.

    job_config = (
        JobConfigBuilder()
        .project_id("my-project")
        .image("google/cloud-sdk:latest")
        .machine_types(["n1-standard-32", "n1-standard-16"])
        .preemptible(True)
        .build()
    )

    Each method says one thing, and gives the builder back. All but `project_id` may be left out; the project is then
    that of the variable GOOGLE_CLOUD_PROJECT.
    """

    def __init__(self, base_config: Mapping[str, Any] = DEFAULT_JOB_CONFIG) -> None:
        self.config: dict[str, Any] = copy.deepcopy(dict(base_config))

    def _set(self, key: str, value: Any, *others: str) -> JobConfigBuilder:
        for other in others:
            self.config.pop(other, None)
        self.config[key] = value
        return self

    # As in Clash.

    def project_id(self, project_id: str) -> JobConfigBuilder:
        """The Google Cloud project that the machines are in."""
        return self._set("project", project_id, "project_id")

    def image(self, image: str) -> JobConfigBuilder:
        """A container image of any registry; to Google's registries the machine's service account is shown."""
        return self._set("image", image)

    def privileged(self, privileged: bool = True) -> JobConfigBuilder:
        """Runs the container with all rights on its machine."""
        return self._set("privileged", privileged)

    def preemptible(self, preemptible: bool = True) -> JobConfigBuilder:
        """Takes Spot capacity, which costs less and may be preempted; the job then begins again on another machine."""
        return self._set("provisioning", _provisioning(preemptible), "preemptible")

    def zone(self, zone: str) -> JobConfigBuilder:
        """The zone of the machine; `zones` gives it alternatives."""
        return self._set("zones", [zone], "zone")

    def region(self, region: str) -> JobConfigBuilder:
        """The region of the zone. Without a zone: Google picks a zone of it that has capacity."""
        return self._set("region", region)

    def subnetwork(self, subnetwork: str) -> JobConfigBuilder:
        """A subnetwork's name, or projects/HOST/regions/REGION/subnetworks/NAME of a Shared VPC."""
        return self._set("subnetwork", subnetwork)

    def machine_type(self, machine_type: str) -> JobConfigBuilder:
        """As Compute Engine names it: n1-standard-4, custom-4-8192 …"""
        return self._set("machine_type", machine_type, "machine_types")

    def service_account(self, service_account: str) -> JobConfigBuilder:
        """Who the container is to Google's services: an email address, or "default"."""
        return self._set("service_account", service_account)

    def disk_image(self, disk_image: Mapping[str, str]) -> JobConfigBuilder:
        """The machine's own system: {"project": …, "family": …}, or "name" in place of "family"."""
        return self._set("disk_image", dict(disk_image))

    def scopes(self, scopes: Sequence[str]) -> JobConfigBuilder:
        """Of the machine's access token; `cloud-platform` alone by default."""
        return self._set("scopes", list(scopes))

    def labels(self, labels: Mapping[str, str]) -> JobConfigBuilder:
        """On all that is made for the job. Keys that begin with `dagrun` are dagrun's own."""
        return self._set("labels", dict(labels))

    def allowed_persistence_regions(self, regions: Sequence[str]) -> JobConfigBuilder:
        """Where Pub/Sub may keep the job's messages; anywhere by default."""
        return self._set("allowed_persistence_regions", list(regions))

    # What dagrun has besides.

    def machine_types(self, machine_types: Sequence[str]) -> JobConfigBuilder:
        """Alternatives, the best first: the next one is taken where there is no capacity of the one before."""
        return self._set("machine_types", list(machine_types), "machine_type")

    def provisioning(self, provisioning: str) -> JobConfigBuilder:
        """ "standard", "spot", or "spot_then_standard": Spot while there is any, then on demand."""
        return self._set("provisioning", provisioning, "preemptible")

    def zones(self, zones: Sequence[str]) -> JobConfigBuilder:
        """Tried in this order."""
        return self._set("zones", list(zones), "zone")

    def regions(self, regions: Sequence[str]) -> JobConfigBuilder:
        """Tried after the zones, in this order; in each, Google picks a zone that has capacity."""
        return self._set("regions", list(regions), "region")

    def accelerator(self, accelerator_type: str, count: int = 1) -> JobConfigBuilder:
        """One more kind of accelerator, such as nvidia-tesla-t4. a2, a3, g2 … machines bring their own."""
        accelerators = [*self.config.get("accelerators", []), {"type": accelerator_type, "count": count}]
        return self._set("accelerators", accelerators)

    def disk_size_gb(self, disk_size_gb: int) -> JobConfigBuilder:
        """Of the boot disk, which the container shares; 100 by default."""
        return self._set("disk_size_gb", disk_size_gb)

    def disk_type(self, disk_type: str) -> JobConfigBuilder:
        """Such as pd-ssd."""
        return self._set("disk_type", disk_type)

    def external_address(self, external_address: bool) -> JobConfigBuilder:
        """False: no address on the internet; registries and Google are then reached by Cloud NAT or Private Google
        Access only."""
        return self._set("external_address", external_address)

    def max_run_duration_seconds(self, seconds: int | str) -> JobConfigBuilder:
        """The cloud deletes each machine after this time, whatever has become of everything else. "none": never. By
        default an hour after the timeout; without one, 24 hours."""
        return self._set("max_run_duration_seconds", seconds)

    def max_attempts(self, max_attempts: int) -> JobConfigBuilder:
        """The most machines that one job may begin, preempted ones included; 10 by default."""
        return self._set("max_attempts", max_attempts)

    def shared_memory_size(self, size: str) -> JobConfigBuilder:
        """Of /dev/shm: "8g"."""
        return self._set("shared_memory_size", size)

    def entrypoint(self, entrypoint: str) -> JobConfigBuilder:
        """Runs this program in place of the image's entry point."""
        return self._set("entrypoint", entrypoint)

    def secrets(self, secrets: Mapping[str, str]) -> JobConfigBuilder:
        """Environment variable -> secret of Secret Manager, read on the machine: NAME, NAME/versions/V, or
        projects/P/secrets/NAME/versions/V."""
        return self._set("secrets", dict(secrets))

    def environment(self, environment: Mapping[str, str]) -> JobConfigBuilder:
        """Environment variable -> value, for every job; env_vars of a task count more."""
        return self._set("environment", dict(environment))

    def mount_method(self, mount_method: str) -> JobConfigBuilder:
        """ "copy" (the default): gcs_mounts are copied in before the command begins. "gcsfuse": mounted."""
        return self._set("mount_method", mount_method)

    def log_destination(self, log_destination: str | Mapping[str, str]) -> JobConfigBuilder:
        """Where the whole log is kept too: "cloud_logging", {"cloud_storage": "bucket/path"}, or "none"."""
        given = log_destination if isinstance(log_destination, str) else dict(log_destination)
        return self._set("log_destination", given)

    def upload_outputs_on_failure(self, upload: bool = True) -> JobConfigBuilder:
        """Copies gcs_target also when the command has failed."""
        return self._set("upload_outputs_on_failure", upload)

    def build(self) -> dict[str, Any]:
        """The configuration, as `job` of a spec."""
        return spec_of_config(self.config)


def spec_of_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """`job` of a spec, from what a builder has built, or from a dict with Clash's keys."""
    if not isinstance(config, Mapping):
        raise failure(
            f"job_config is of type {type(config).__name__}, and must be a dict.",
            "Is it what JobConfigBuilder()… .build() gives? Was build() forgotten?",
            final=True,
        )
    job = copy.deepcopy(dict(config))
    _rename(job, "project_id", "project", lambda value: value)
    _rename(job, "preemptible", "provisioning", _provisioning)
    _rename(job, "zone", "zones", lambda value: [value])
    if job.get("disk_image") == {"project": "gce-uefi-images", "family": "cos-stable"}:
        del job["disk_image"]  # Clash's default, which Google has since withdrawn
    region = job.pop("region", None)
    if region and not job.get("zones") and not job.get("regions"):
        job["regions"] = [region]
    for zone in job.get("zones", []) if region else []:
        is_template = "{" in f"{zone}{region}"
        if not is_template and not str(zone).startswith(f"{region}-"):
            raise failure(
                f"job_config: the zone {zone} is not in the region {region}.",
                "Say zone or region; zones and regions (lists) say where else to look for capacity.",
                final=True,
            )
    if not job.get("project"):
        project = os.environ.get("GOOGLE_CLOUD_PROJECT")
        if not project:
            raise failure(
                "job_config names no project.",
                'Say JobConfigBuilder().project_id("my-project"), or set GOOGLE_CLOUD_PROJECT.',
                final=True,
            )
        job["project"] = project
    job.setdefault("image", DEFAULT_JOB_CONFIG["image"])
    for key in NUMBERS_OF_A_CONFIG & job.keys():
        job[key] = _number(job[key])
    if "max_run_duration_seconds" in job:
        bound = _seconds(job["max_run_duration_seconds"])
        # Google takes whole seconds.
        job["max_run_duration_seconds"] = math.ceil(bound) if isinstance(bound, float) else bound
    for accelerator in job.get("accelerators") or []:
        if isinstance(accelerator, dict) and "count" in accelerator:
            accelerator["count"] = _number(accelerator["count"])
    return job


def _number(value: Any) -> Any:
    """A template gives text; one that divides, or has a decimal to begin with, 200.0 for 200."""
    whole = re.fullmatch(r"\s*(\d{1,18})(\.0+)?\s*", value) if isinstance(value, str) else None
    return int(whole[1]) if whole else value


def _seconds(value: Any) -> Any:
    """A time, which may have decimals."""
    value = _number(value)
    return float(value) if isinstance(value, str) and re.fullmatch(r"\s*\d{1,18}\.\d{1,18}\s*", value) else value


def _provisioning(preemptible: Any) -> str:
    if isinstance(preemptible, str):  # a text is true, whatever it says
        raise failure("preemptible takes True or False.", "`provisioning` takes a template.", final=True)
    return "spot" if preemptible else "standard"


def _rename(job: dict[str, Any], key: str, new_key: str, new_value: Callable[[Any], Any]) -> None:
    if key in job:
        value = job.pop(key)
        if value is not None:
            job.setdefault(new_key, new_value(value))


class JobFactory:
    """What the jobs of a group have in common. `gcloud` was Clash's way to Google, and is not used."""

    def __init__(self, job_config: Mapping[str, Any], gcloud: Any = None) -> None:
        self.job_config = job_config


class JobRuntimeSpec(dict[str, Any]):
    """What one job of a group runs, and with which data. All of it is templated.

    It is a dict of what was given: Airflow renders that into a new one for each task, shows its values by their keys,
    and masks those whose key says that they are secret. A plain dict with the same keys does too.

    :param args: a string is a shell script, a list a program and its arguments.
    :param env_vars: environment variable -> value.
    :param gcs_mounts: bucket/path -> directory in the container.
    :param gcs_target: directory in the container -> bucket/path to which it is copied at the end.
    :param timeout_seconds: from the container's first start.
    """

    def __init__(
        self,
        args: str | Sequence[str],
        env_vars: Mapping[str, Any] | None = None,
        gcs_mounts: Mapping[str, str] | None = None,
        gcs_target: Mapping[str, str] | None = None,
        timeout_seconds: float | str | None = None,
    ) -> None:
        given = {
            "args": args,
            "env_vars": env_vars,
            "gcs_mounts": gcs_mounts,
            "gcs_target": gcs_target,
            "timeout_seconds": timeout_seconds,
        }
        super().__init__({key: value for key, value in given.items() if value is not None})


def spec_of_job(
    job_config: Mapping[str, Any],
    command: Any,
    env_vars: Any = None,
    gcs_mounts: Any = None,
    gcs_target: Any = None,
    timeout_seconds: Any = None,
    labels: Mapping[str, str] | None = None,
    render_script: Callable[[str], str] | None = None,
) -> dict[str, Any]:
    """A whole spec of `dagrun job run`. `command` is a string, a list, or the Path of a script, which `render_script`
    renders."""
    spec: dict[str, Any] = {"job": spec_of_config(job_config)}
    if labels:
        spec["job"]["labels"] = {**labels, **(spec["job"].get("labels") or {})}
    if isinstance(command, Path):
        script = _contents(command)
        if render_script is not None:
            script = render_script(_decoded(script, command)).encode()
        spec.update(script_file=command.name, script_base64=base64.b64encode(script).decode())
    elif isinstance(command, str):
        spec["command"] = command
    elif isinstance(command, (list, tuple)):
        if command:  # empty: what the image says by itself
            spec["command"] = [_text(word, "cmd") for word in command]
    else:
        raise failure(
            f"cmd is of type {type(command).__name__}.", "A string is a shell script, a list an argv.", final=True
        )
    for key, name, values in (
        ("environment", "env_vars", env_vars),
        ("mounts", "gcs_mounts", gcs_mounts),
        ("outputs", "gcs_target", gcs_target),
    ):
        if values:
            if not isinstance(values, Mapping):
                raise failure(f"{name} is of type {type(values).__name__}, and must be a dict.", final=True)
            spec[key] = {str(name): _text(value, f"{key}[{name!r}]") for name, value in values.items()}
    if timeout_seconds is not None:
        timeout_seconds = _seconds(timeout_seconds)
        if isinstance(timeout_seconds, bool) or not isinstance(timeout_seconds, (int, float)):
            raise failure(
                f"timeout_seconds is {timeout_seconds!r}, and must be a number of seconds, such as 5400 or 0.5.",
                "A template gives the digits of one: {{ params.hours * 3600 }}.",
                final=True,
            )
        spec["timeout_seconds"] = timeout_seconds
    return spec


def _text(value: Any, what: str) -> str:
    if isinstance(value, (str, int, float)):
        return str(value)
    raise failure(
        f"{what} is {value!r}, of type {type(value).__name__}, and must be a string.",
        "Templates give strings; json.dumps makes a string of a list or a dict.",
        final=True,
    )


def _decoded(script: bytes, path: Path) -> str:
    try:
        return script.decode()
    except UnicodeDecodeError as error:
        raise failure(
            f"cmd_file {path} cannot be a template: {error}.",
            "Leave out render_cmd_file, or write it as UTF-8.",
            final=True,
        ) from None


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise failure(
            f"cmd_file {path} cannot be read on this worker: {error.strerror or error}.",
            "A relative path is looked for beside the DAG's file, then in the worker's folder.",
        ) from error


def script_path(name: str, dag_file: str | None) -> Path:
    """Where the script of a `cmd_file` is: beside the DAG's file, else in the worker's folder."""
    path = Path(name).expanduser()
    if path.is_absolute() or not dag_file:
        return path
    beside = Path(dag_file).parent / path
    return beside if beside.exists() else path.absolute()
