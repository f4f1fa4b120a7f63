"""Swift DAGs as DAGs of Airflow: what is made of `dagrun dags export`."""

from __future__ import annotations

import datetime
import os
from types import SimpleNamespace

import pytest
from swift_dags import exported, import_error, swift_dag, swift_task

from airflow import __version__ as airflow_version

IS_AIRFLOW_2 = airflow_version.startswith("2.")
UTC = datetime.timezone.utc


@pytest.fixture
def dags_of(plugin, stand_in):
    """The DAGs of Airflow of exported Swift DAGs."""

    def make(*dags, errors=None, **said):
        stand_in.plays(exported(*dags, errors=errors))
        return plugin.dagrun_dags("/swift", **said)

    return make


def test_a_swift_dag_has_its_tasks_ids_and_arrows(dags_of):
    dag = dags_of(
        swift_dag("nightly", swift_task("extract"), swift_task("load.eu", upstream=["extract"], operator="BashOperator"))
    )["nightly"]
    assert dag.dag_id == "nightly"
    assert set(dag.task_ids) == {"extract", "load.eu"}
    assert dag.get_task("load.eu").upstream_task_ids == {"extract"}


def test_the_folder_is_exported_once_and_by_its_absolute_path(dags_of, stand_in):
    dags_of(swift_dag("nightly"))
    assert [call["argv"] for call in stand_in.calls] == [
        ["dags", "export", "-o", "json", "--dags-folder", "/swift"]
    ]


def test_without_a_path_the_folder_of_the_calling_file_is_it(plugin, stand_in, tmp_path, monkeypatch):
    stand_in.plays(exported(swift_dag("nightly")))
    names: dict = {"__file__": "/airflow/dags/swift.py", "dagrun_dags": plugin.dagrun_dags}
    monkeypatch.delenv("DAGRUN_DAGS_FOLDER", raising=False)
    exec("dags = dagrun_dags()", names)
    exec("dags = dagrun_dags('more')", names)
    monkeypatch.setenv("DAGRUN_DAGS_FOLDER", "/from/environment")
    exec("dags = dagrun_dags()", names)
    folders = [call["argv"][-1] for call in stand_in.calls]
    assert folders == ["/airflow/dags", "/airflow/dags/more", "/from/environment"]


def test_settings_of_a_task_are_airflows(dags_of):
    task = dags_of(
        swift_dag(
            "nightly",
            swift_task(
                "train", retries=3, retry_delay_seconds=60.0, retry_backoff_multiplier=3.0,
                max_retry_delay_seconds=600.0, execution_timeout_seconds=7200.0, pool="gpu", pool_slots=2,
                priority_weight=10, weight_rule="absolute", depends_on_past=True,
                wait_for_past_depends_before_skipping=True, max_active_tis_per_dag=1, max_active_tis_per_dagrun=2,
                trigger_rule="none_failed", doc="Trains.",
            ),
        )
    )["nightly"].get_task("train")
    assert task.retries == 3
    assert task.retry_delay == datetime.timedelta(minutes=1)
    assert task.retry_exponential_backoff == (True if IS_AIRFLOW_2 else 3.0)
    assert task.max_retry_delay == datetime.timedelta(minutes=10)
    # dagrun ends it after two hours; Airflow would, if dagrun did not.
    assert task.execution_timeout == datetime.timedelta(hours=2, seconds=30)
    assert (task.pool, task.pool_slots) == ("gpu", 2)
    assert task.priority_weight == 10
    assert "absolute" in str(task.weight_rule).lower()
    assert task.depends_on_past and task.wait_for_past_depends_before_skipping
    assert (task.max_active_tis_per_dag, task.max_active_tis_per_dagrun) == (1, 2)
    assert task.trigger_rule == "none_failed"
    assert task.doc_md == "Trains."


def test_a_constant_delay_has_no_backoff(dags_of):
    task = dags_of(swift_dag("nightly", swift_task("a", retries=1)))["nightly"].get_task("a")
    assert not task.retry_exponential_backoff
    assert task.max_retry_delay is None


def test_the_time_that_a_job_waits_for_its_machine_is_not_airflows_to_count(dags_of):
    job = swift_task("job", is_job=True, project="p", operator="ComputeEngineJobOperator", execution_timeout_seconds=60.0)
    assert dags_of(swift_dag("nightly", job))["nightly"].get_task("job").execution_timeout is None


@pytest.mark.parametrize(
    "rule",
    ["all_success", "all_failed", "all_done", "all_done_min_one_success", "one_success", "one_failed", "one_done",
     "none_failed", "none_failed_min_one_success", "none_skipped", "all_skipped", "always"],
)
def test_a_trigger_rule_is_airflows_or_the_dag_says_why_not(dags_of, plugin, rule):
    sound = swift_dag("sound")
    dags = dags_of(
        sound, swift_dag("nightly", swift_task("a"), swift_task("b", upstream=["a"], trigger_rule=rule))
    )
    if IS_AIRFLOW_2 and rule == "all_done_min_one_success":  # 2.11 does not have it
        assert set(dags) == {"sound", "import_error__nightly"}
        assert rule in dags["import_error__nightly"].doc_md
    else:
        assert dags["nightly"].get_task("b").trigger_rule == rule


def test_setups_and_teardowns_are_airflows(dags_of):
    dag = dags_of(
        swift_dag(
            "nightly",
            swift_task("create", role="setup"),
            swift_task("work", upstream=["create"]),
            swift_task("drop", upstream=["work", "create"], role="teardown", setups=["create"],
                       on_failure_fail_dagrun=True, trigger_rule="all_done_setup_success"),
        )
    )["nightly"]
    assert dag.get_task("create").is_setup
    drop = dag.get_task("drop")
    assert drop.is_teardown and drop.on_failure_fail_dagrun
    assert drop.upstream_task_ids == {"work", "create"}
    assert drop.trigger_rule == "all_done_setup_success"


def test_a_task_without_work_is_left_to_airflows_scheduler(dags_of):
    task = dags_of(swift_dag("nightly", swift_task("gate", operator="EmptyOperator", has_output=False)))[
        "nightly"
    ].get_task("gate")
    assert task.inherits_from_empty_operator is True


def swift_group(id: str, parent: str | None = None, prefix: str | None = None) -> dict:
    return {"id": id, "parent": parent, "prefix": f"{id}." if prefix is None else prefix, "doc": f"About {id}."}


def test_groups_are_airflows_and_their_tasks_keep_their_ids(dags_of):
    dag = dags_of(
        swift_dag(
            "nightly",
            swift_task("a.x", group="a"),
            swift_task("a.b.y", group="a.b", upstream=["a.x"]),
            swift_task("plain", group="a.c"),
            swift_task("d.z", group="d"),
            groups=[swift_group("a"), swift_group("a.b", "a"), swift_group("a.c", "a", ""), swift_group("d", "a.c")],
        )
    )["nightly"]
    assert set(dag.task_ids) == {"a.x", "a.b.y", "plain", "d.z"}
    groups = dag.task_group.get_task_group_dict() if hasattr(dag.task_group, "get_task_group_dict") else dag.task_group_dict
    assert {"a", "a.b", "a.c", "d"} <= set(groups)
    assert groups["a.b"].tooltip == "About a.b."
    assert set(groups["a.c"].children) == {"plain", "d"}
    assert dag.get_task("a.b.y").label == "y"


def test_a_task_that_decides_is_known_as_one(dags_of):
    dag = dags_of(
        swift_dag(
            "nightly",
            swift_task("choose", operator="BranchOperator", decides=True),
            swift_task("latest", operator="LatestOnlyOperator", decides=True, has_output=False),
            swift_task("plain"),
        )
    )["nightly"]
    mixed_in = {id: [kind.__name__ for kind in type(dag.get_task(id)).__mro__] for id in dag.task_ids}
    assert {id for id in dag.task_ids if "SkipMixin" in mixed_in[id]} == {"choose", "latest"}
    assert "LatestOnlyOperator" in mixed_in["latest"]


@pytest.mark.parametrize("has_interval", [False, True])
def test_the_latest_run_continues_below_a_latest_only_operator(dags_of, has_interval):
    import pendulum

    from airflow.timetables.base import DataInterval

    schedule = {"cron": "0 0 1 1 *", "timezone": "UTC", "data_interval": has_interval}
    dag = dags_of(
        swift_dag(
            "yearly",
            swift_task("latest", operator="LatestOnlyOperator", decides=True, has_output=False),
            swift_task("report", upstream=["latest"]),
            schedule=schedule,
        )
    )["yearly"]

    def chosen(ticks_ago, run_type="scheduled"):
        end = pendulum.now("UTC").start_of("year").subtract(years=ticks_ago)
        interval = DataInterval(end.subtract(years=1) if has_interval else end, end)
        run = SimpleNamespace(
            dag_id="yearly", run_type=run_type, external_trigger=run_type == "manual", 
            logical_date=interval.start, execution_date=interval.start,
            run_after=end, data_interval=interval,
            data_interval_start=interval.start, data_interval_end=interval.end,
        )
        return list(dag.get_task("latest").choose_branch({"dag_run": run, "dag": dag, "task": dag.get_task("latest")}))

    assert chosen(0) == ["report"]
    assert chosen(2, run_type="manual") == ["report"]
    assert chosen(2) == []


def class_of_timetable(dag) -> str:
    return type(dag.timetable).__name__


def test_schedules_are_timetables_that_mean_the_same_in_every_airflow(dags_of):
    dags = dags_of(
        swift_dag("manual"),
        swift_dag("trigger", schedule={"cron": "0 3 * * *", "timezone": "Europe/Berlin", "data_interval": False}),
        swift_dag("interval", schedule={"cron": "0 3 * * *", "timezone": "UTC", "data_interval": True}),
        swift_dag("once", schedule={"once": True}),
        swift_dag("continuous", schedule={"continuous": True}),
    )
    assert class_of_timetable(dags["manual"]) == "NullTimetable"
    assert class_of_timetable(dags["trigger"]) == "CronTriggerTimetable"
    assert class_of_timetable(dags["interval"]) == "CronDataIntervalTimetable"
    assert class_of_timetable(dags["once"]) == "OnceTimetable"
    assert class_of_timetable(dags["continuous"]) == "ContinuousTimetable"
    assert dags["continuous"].max_active_runs == 1


def test_an_unknown_schedule_is_said(dags_of):
    dags = dags_of(swift_dag("sound"), swift_dag("odd", schedule={"moon": "full"}))
    assert "moon" in dags["import_error__odd"].doc_md


def next_run(dag, earliest=None, catchup=False):
    from airflow.timetables.base import TimeRestriction

    timetable = dag.timetable
    if not IS_AIRFLOW_2:
        from airflow.serialization.encoders import coerce_to_core_timetable

        timetable = coerce_to_core_timetable(timetable)
    import pendulum

    restriction = TimeRestriction(pendulum.instance(dag.start_date), None, catchup)
    return timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)


def test_a_tick_is_the_logical_date_in_its_time_zone(dags_of):
    dag = dags_of(
        swift_dag(
            "nightly", schedule={"cron": "0 3 * * *", "timezone": "Europe/Berlin", "data_interval": False},
            start_date="2026-03-28T12:00:00+00:00", catchup=True,
        )
    )["nightly"]
    assert dag.catchup
    first = next_run(dag, catchup=True)
    # Berlin's clocks go forward in that night.
    assert first.logical_date == datetime.datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert first.run_after == first.logical_date


def test_a_data_interval_ends_before_its_run(dags_of):
    dag = dags_of(
        swift_dag(
            "nightly", schedule={"cron": "0 3 * * *", "timezone": "UTC", "data_interval": True},
            start_date="2026-01-01T00:00:00Z", catchup=True,
        )
    )["nightly"]
    first = next_run(dag, catchup=True)
    assert first.logical_date == datetime.datetime(2026, 1, 1, 3, tzinfo=UTC)
    assert first.run_after == datetime.datetime(2026, 1, 2, 3, tzinfo=UTC)


def test_without_a_start_date_the_newest_tick_is_the_first(dags_of):
    dag = dags_of(
        swift_dag("hourly", schedule={"cron": "0 * * * *", "timezone": "UTC", "data_interval": False}, catchup=True)
    )["hourly"]
    assert not dag.catchup, "there would be a run for each hour since 1970"
    now = datetime.datetime.now(UTC)
    first = next_run(dag).logical_date
    assert now - datetime.timedelta(hours=1, minutes=1) <= first <= now


def test_a_dag_that_runs_once_bears_a_date_of_today(dags_of, tmp_path):
    file = tmp_path / "once.swift"
    file.write_text("…")
    dag = dags_of(swift_dag("once", schedule={"once": True}, file=str(file)))["once"]
    if IS_AIRFLOW_2:  # it refuses a schedule without a start date
        assert dag.start_date == datetime.datetime.fromtimestamp(int(os.stat(file).st_mtime), UTC)
    else:
        assert dag.start_date is None


def test_dates_limits_tags_and_documentation_are_kept(dags_of):
    dag = dags_of(
        swift_dag(
            "nightly", start_date="2026-01-01T00:00:00.000000+00:00", end_date="2026-12-31T00:00:00+00:00",
            schedule={"cron": "0 3 * * *", "timezone": "UTC", "data_interval": False}, tags=["a", "b"],
            doc="Trains tonight's model.\n\nAt length.", max_active_runs=3, max_active_tasks=5,
            dagrun_timeout_seconds=3600.0,
        )
    )["nightly"]
    assert dag.start_date == datetime.datetime(2026, 1, 1, tzinfo=UTC)
    assert dag.end_date == datetime.datetime(2026, 12, 31, tzinfo=UTC)
    assert set(dag.tags) == {"a", "b"}
    assert dag.description == "Trains tonight's model."
    assert "At length." in dag.doc_md
    assert (dag.max_active_runs, dag.max_active_tasks) == (3, 5)
    assert dag.dagrun_timeout == datetime.timedelta(hours=1)


def test_params_have_types_defaults_and_bounds(dags_of):
    dag = dags_of(
        swift_dag(
            "nightly",
            params=[
                {"name": "limit", "default": 5, "schema": {"type": "integer", "minimum": 1.0, "description": "How many."}},
                {"name": "region", "schema": {"type": "string", "enum": ["eu", "us"]}},
            ],
        )
    )["nightly"]
    limit = dag.params.get_param("limit")
    assert limit.value == 5 and limit.description == "How many."
    assert limit.resolve(7) == 7
    with pytest.raises(Exception, match="minimum"):
        limit.resolve(0)
    with pytest.raises(Exception, match="no default"):
        dag.params.get_param("region").resolve()
    assert dag.params.get_param("region").resolve("us") == "us"


def test_default_args_say_what_swift_does_not(dags_of):
    task = dags_of(
        swift_dag("nightly", swift_task("a", retries=2)), default_args={"owner": "data", "queue": "swift", "retries": 9}
    )["nightly"].get_task("a")
    assert (task.owner, task.queue, task.retries) == ("data", "swift", 2)


def test_a_broken_file_is_a_dag_that_says_so_and_hides_no_other(dags_of, caplog, plugin):
    dags = dags_of(
        swift_dag("nightly"),
        errors=[import_error("/swift/team/broken.swift", "cannot find 'x' in scope", 7),
                import_error("/swift/team/broken.swift", "and more", 9)],
    )
    assert set(dags) == {"nightly", "import_error__team_broken.swift"}
    broken = dags["import_error__team_broken.swift"]
    assert "team/broken.swift:7: cannot find 'x' in scope" in broken.doc_md
    assert "team/broken.swift:9: and more" in broken.doc_md
    with pytest.raises(plugin.AirflowFailException, match="cannot find 'x' in scope"):
        broken.get_task("import_error").execute({})
    assert "cannot find 'x' in scope" in caplog.text


def test_where_nothing_is_left_the_file_itself_has_an_import_error(dags_of, plugin):
    with pytest.raises(plugin.AirflowException, match="broken.swift:7: cannot find 'x' in scope"):
        dags_of(errors=[import_error("/swift/broken.swift", "cannot find 'x' in scope", 7)])


def test_an_empty_folder_is_no_error(dags_of):
    assert dags_of() == {}


def test_what_airflow_refuses_of_one_dag_leaves_the_others(dags_of):
    dags = dags_of(
        swift_dag("sound"),
        swift_dag(
            "odd", swift_task("create", role="setup"), swift_task("b", upstream=["create"], trigger_rule="all_done")
        ),
    )
    assert set(dags) == {"sound", "import_error__odd"}
    assert "Airflow refuses DAG odd" in dags["import_error__odd"].doc_md


def test_a_dag_with_mapped_tasks_says_what_runs_it(dags_of):
    dags = dags_of(
        swift_dag("sound"), swift_dag("shards", swift_task("list"), swift_task("rows", is_mapped=True, upstream=["list"]))
    )
    assert set(dags) == {"sound", "import_error__shards"}
    assert "maps rows over lists" in dags["import_error__shards"].doc_md
    assert "DagrunTriggerOperator" in dags["import_error__shards"].doc_md


def test_a_worker_makes_only_the_dag_that_it_runs(dags_of, monkeypatch):
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "b")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "only")
    errors = [import_error("/swift/broken.swift", "no")]
    assert set(dags_of(swift_dag("a"), swift_dag("b"), errors=errors)) == {"b"}
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "import_error__broken.swift")
    assert set(dags_of(swift_dag("a"), errors=errors)) == {"import_error__broken.swift"}
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "gone")
    assert dags_of(swift_dag("a"), errors=errors) == {}


def test_a_failing_program_is_quoted(plugin, stand_in):
    stand_in.plays("say('error: no such folder: /swift'); say('hint: make it'); sys.exit(2)")
    with pytest.raises(plugin.AirflowException, match="no such folder: /swift"):
        plugin.dagrun_dags("/swift")


def test_the_dags_survive_airflows_serialization(dags_of):
    dags = dags_of(
        swift_dag(
            "nightly",
            swift_task("a", retries=1, retry_backoff_multiplier=2.0, max_retry_delay_seconds=60.0),
            swift_task("b", upstream=["a"], inputs=["a"], execution_timeout_seconds=60.0, max_active_tis_per_dag=1),
            swift_task("gate", upstream=["b"], operator="EmptyOperator"),
            schedule={"cron": "0 3 * * *", "timezone": "Europe/Berlin", "data_interval": False},
            params=[{"name": "limit", "default": 5, "schema": {"type": "integer"}}],
        ),
        errors=[import_error("/swift/broken.swift", "no")],
    )
    if IS_AIRFLOW_2:
        from airflow.serialization.serialized_objects import SerializedDAG

        codec = SerializedDAG
    else:
        from airflow.serialization.serialized_objects import DagSerialization

        codec = DagSerialization
    for dag in dags.values():
        text = codec.to_json(dag)
        again = codec.from_json(text)
        assert set(again.task_dict) == set(dag.task_dict)
    nightly = codec.from_json(codec.to_json(dags["nightly"]))
    assert nightly.task_dict["gate"].inherits_from_empty_operator
