"""Whose credentials a job uses: those of a connection of Airflow, and accounts to act as."""

from __future__ import annotations

import asyncio
import json

import pytest
from test_job_trigger import deferred, fire, listen_to
from test_jobs import CONFIG, SUCCEEDS, run

KEY = {"type": "service_account", "client_email": "robot@p.iam.gserviceaccount.com", "private_key": "hunter2"}
# What a program sees, twice: the key is read again each hour.
SEES = """
for _ in range(2):
    path = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    note("key " + (open(path).read() if path else "none"))
note("acts as " + os.environ.get("CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT", "itself"))
"""


@pytest.fixture
def connection(monkeypatch):
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)

    def connect(**extra) -> str:
        monkeypatch.setenv("AIRFLOW_CONN_ROBOT", json.dumps({"conn_type": "google_cloud_platform", "extra": extra}))
        return "robot"

    return connect


def operator_of(plugin, **values):
    return plugin.ComputeEngineJobOperator(job_config=CONFIG, cmd="x", task_id="train", **values)


@pytest.mark.parametrize("name", ["keyfile_dict", "extra__google_cloud_platform__keyfile_dict"])
@pytest.mark.parametrize("given", [KEY, json.dumps(KEY)], ids=["an object", "a text"])
def test_the_key_of_a_connection_is_handed_on_in_memory(plugin, stand_in, connection, tmp_path, name, given):
    stand_in.plays(SEES + SUCCEEDS)
    run(operator_of(plugin, gcp_conn_id=connection(**{name: given})))
    keys = [json.loads(note[4:]) for note in stand_in.notes if note.startswith("key ")]
    assert keys == [KEY, KEY]
    assert "acts as itself" in stand_in.notes
    holding = [path for path in tmp_path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert holding == [stand_in.notes_file]
    assert all("hunter2" not in json.dumps(call) for call in stand_in.calls)


def test_the_path_of_a_connections_key_is_named(plugin, stand_in, connection, tmp_path):
    path = tmp_path / "key.json"
    path.write_text("the key")
    stand_in.plays(SEES + SUCCEEDS)
    run(operator_of(plugin, gcp_conn_id=connection(key_path=str(path))))
    assert "key the key" in stand_in.notes


@pytest.mark.parametrize(
    ("chain", "of_connection", "expected"),
    [
        ("b@q", None, "b@q"),
        (["a@p", "b@q"], None, "a@p,b@q"),
        (None, "a@p, b@q", "a@p,b@q"),
        ("{{ params.n }}@q", "a@p", "4@q"),
    ],
)
def test_accounts_are_acted_as(plugin, stand_in, connection, chain, of_connection, expected):
    stand_in.plays(SEES + SUCCEEDS)
    extra = {"impersonation_chain": of_connection} if of_connection else {}
    run(operator_of(plugin, gcp_conn_id=connection(**extra), impersonation_chain=chain))
    assert stand_in.notes[:3] == ["key none", "key none", f"acts as {expected}"]


def test_a_connections_key_counts_more_than_the_workers_own_credentials(plugin, stand_in, connection, monkeypatch):
    for name in ("ACCESS_TOKEN", "ACCESS_TOKEN_FILE", "IMPERSONATE_SERVICE_ACCOUNT"):
        monkeypatch.setenv(f"CLOUDSDK_AUTH_{name}", "the worker's")
    stand_in.plays(
        SEES + 'note("own " + str([key for key in os.environ if key.startswith("CLOUDSDK_AUTH_")]))\n' + SUCCEEDS
    )
    run(operator_of(plugin, gcp_conn_id=connection(keyfile_dict=KEY)))
    assert f"key {json.dumps(KEY)}" in stand_in.notes
    assert {"acts as itself", "own []"} <= set(stand_in.notes)


def test_where_a_field_has_both_its_names_the_new_one_counts(plugin, stand_in, connection, tmp_path):
    (tmp_path / "new").write_text("new")
    stand_in.plays(SEES + SUCCEEDS)
    extra = {"key_path": str(tmp_path / "new"), "extra__google_cloud_platform__key_path": str(tmp_path / "old")}
    run(operator_of(plugin, gcp_conn_id=connection(**extra)))
    assert "key new" in stand_in.notes


def test_credentials_do_not_show_their_key(plugin):
    assert "hunter2" not in repr(plugin.Credentials(key=json.dumps(KEY)))


def test_without_a_connection_the_machines_credentials_count(plugin, stand_in, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    stand_in.plays(SEES + SUCCEEDS)
    run(operator_of(plugin))
    assert stand_in.notes[:3] == ["key none", "key none", "acts as itself"]


@pytest.mark.parametrize(
    "extra",
    [
        {"key_secret_name": "s"},
        {"credential_config_file": "f"},
        {"is_anonymous": True},
        {"idp_issuer_url": "u"},
        {"key_path": "p", "keyfile_dict": KEY},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_what_dagrun_cannot_use_is_refused(plugin, stand_in, connection, extra):
    with pytest.raises(plugin.AirflowFailException, match=next(iter(extra))):
        run(operator_of(plugin, gcp_conn_id=connection(**extra)))
    assert stand_in.calls == []


def test_triggers_of_different_credentials_have_a_server_each(plugin, stand_in, connection):
    handed_over = {"name": "train-1", "attempt": 1, "project": "p", "handed_over": True}
    connection(keyfile_dict=KEY, impersonation_chain="a@p")
    stand_in.plays(f"answer({handed_over!r})")
    triggers = [
        deferred(plugin, operator_of(plugin, deferrable=True, **values)).trigger
        for values in ({}, {"gcp_conn_id": "robot"}, {"gcp_conn_id": "robot", "impersonation_chain": "b@q"})
    ]
    assert "hunter2" not in json.dumps([trigger.serialize() for trigger in triggers])
    again = [plugin.ComputeEngineJobTrigger(**json.loads(json.dumps(trigger.serialize()[1]))) for trigger in triggers]
    stand_in.notes_file.unlink(missing_ok=True)
    stand_in.plays(
        SEES
        + """
for line in sys.stdin:
    job = json.loads(line).get("attach")
    if job:
        result = {"name": job, "ending": "exited", "exit_status": 0, "result": {}}
        print(json.dumps({"job": job, "event": "ended", "exit_code": 0, "result": result}), flush=True)
"""
    )

    async def all_at_once():
        return await asyncio.gather(*(fire(listen_to(trigger)) for trigger in again))

    assert all(event["jobs"][0]["record"]["exit_status"] == 0 for (event,) in asyncio.run(all_at_once()))
    seen = sorted(note for note in stand_in.notes if note.startswith("acts as") or note == "key none")
    assert seen == ["acts as a@p", "acts as b@q", "acts as itself", "key none", "key none"]
