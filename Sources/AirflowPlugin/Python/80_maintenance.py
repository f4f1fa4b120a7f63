

# --- What keeps projects clean ---------------------------------------------------------------------------------------


class DagrunMaintenanceOperator(DagrunCommandOperator):
    """Removes what jobs have left behind in a project (`dagrun job gc`); returns what was removed.

    A task that is ended asks it to stop; what it is at the point of removing then, it removes.

    :param project: without it, the project of $GOOGLE_CLOUD_PROJECT, or gcloud's.
    :param older_than: what other homes, such as those of workers that are gone, have begun is removed when it is that
        old, running machines included: longer than the longest job. None: only what this worker's home has begun.
    :param gcp_conn_id: as that of the operators of jobs.
    :param impersonation_chain: as that of the operators of jobs.
    """

    template_fields: Sequence[str] = ("project", "older_than", "gcp_conn_id", "impersonation_chain")
    ui_color = "#e8f7e4"

    def __init__(
        self,
        *,
        project: str | None = None,
        older_than: str | None = "7d",
        gcp_conn_id: str | None = None,
        impersonation_chain: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.older_than = older_than
        self.gcp_conn_id = gcp_conn_id
        self.impersonation_chain = impersonation_chain

    def execute(self, context: Context) -> list[dict[str, Any]]:
        options = ["--project", self.project] if self.project else []
        if self.older_than is not None:
            options += ["--all-homes", "--older-than", self.older_than]
        finished = self._finished(
            ["job", "gc", "-o", "json", *options], Credentials.of(self.gcp_conn_id, self.impersonation_chain)
        )
        if finished.exit_status not in (0, COULD_NOT_REMOVE_ALL):
            raise finished.failure()
        resources = finished.json()
        for resource in resources:
            self.log.info("%s %s: %s (%s)", resource["kind"], resource["name"], resource["fate"], resource["reason"])
        left = [resource["name"] for resource in resources if resource["fate"] == "not removed"]
        if left:
            raise failure(f"Not removed: {', '.join(left)}.", "The task's log says why, of each.")
        return [resource for resource in resources if resource["fate"] == "removed"]


# `dagrun job gc` lists in its JSON what it could not remove.
COULD_NOT_REMOVE_ALL = 5
SECONDS_OF_MAINTENANCE = 3600


def dagrun_maintenance(
    dag_id: str = "dagrun_maintenance",
    *,
    projects: Sequence[str] = (),
    older_than: str | None = "7d",
    gcp_conn_id: str | None = None,
    impersonation_chain: str | Sequence[str] | None = None,
    **dag_arguments: Any,
) -> DAG:
    """A DAG that removes, each day, what jobs have left behind: machines whose worker died with no try left, and what
    else they have in Google Cloud.

        from dagrun_plugin import dagrun_maintenance    # of Airflow: a file without that word is not read

        dag = dagrun_maintenance(projects=["my-project"])

    :param projects: a task for each; without them, one for the project of $GOOGLE_CLOUD_PROJECT, or gcloud's.
    :param dag_arguments: of the DAG: its schedule (each day by default), its default_args …
    """
    arguments: dict[str, Any] = {
        "schedule": "@daily",
        "start_date": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
        "catchup": False,
        "max_active_runs": 1,
        "description": "Removes what jobs of dagrun have left behind in Google Cloud",
        **dag_arguments,
    }
    arguments["default_args"] = {
        "execution_timeout": datetime.timedelta(seconds=SECONDS_OF_MAINTENANCE),
        **(dag_arguments.get("default_args") or {}),
    }
    dag: Any = DAG(dag_id, **arguments)
    # Not the plugin's: Airflow reads a DAG's file again for each of its tasks.
    dag.fileloc = sys._getframe(1).f_globals.get("__file__", __file__)
    for project in projects or (None,):
        DagrunMaintenanceOperator(
            task_id=slug(f"collect-{project}", 200) if project else "collect",
            project=project,
            older_than=older_than,
            gcp_conn_id=gcp_conn_id,
            impersonation_chain=impersonation_chain,
            dag=dag,
        )
    return cast(DAG, dag)
