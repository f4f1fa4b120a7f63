"""What a job is: Clash's builder, and every key of dagrun's own."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2]

# Every key of a JobConfig, with a value that is not its default.
FULL = {
    "project": "my-project",
    "image": "python:3.13",
    "machine_types": ["n1-standard-8", "n1-standard-4"],
    "provisioning": "spot_then_standard",
    "zones": ["europe-west1-b", "europe-west1-c"],
    "regions": ["europe-west4"],
    "accelerators": [{"type": "nvidia-tesla-t4", "count": 1}, {"type": "nvidia-tesla-p4", "count": 2}],
    "disk_size_gb": 200,
    "disk_type": "pd-ssd",
    "disk_image": {"project": "cos-cloud", "family": "cos-109-lts"},
    "subnetwork": "batch",
    "external_address": False,
    "service_account": "trainer@my-project.iam.gserviceaccount.com",
    "scopes": ["https://www.googleapis.com/auth/devstorage.read_write"],
    "labels": {"team": "forecasts"},
    "allowed_persistence_regions": ["europe-west1"],
    "max_run_duration_seconds": 28800,
    "max_attempts": 5,
    "privileged": True,
    "shared_memory_size": "8g",
    "entrypoint": "/bin/bash",
    "secrets": {"API_TOKEN": "api-token"},
    "environment": {"MODE": "full"},
    "mount_method": "gcsfuse",
    "log_destination": {"cloud_storage": "my-bucket/logs"},
    "upload_outputs_on_failure": True,
}


def full_builder(plugin):
    builder = plugin.JobConfigBuilder().project_id("my-project")
    for key, value in FULL.items():
        if key == "project":
            continue
        if key == "accelerators":
            for accelerator in value:
                builder.accelerator(accelerator["type"], accelerator["count"])
        else:
            getattr(builder, key)(value)
    return builder


def keys_of_swift() -> set[str]:
    """The keys of JobConfig, as its coding names them."""
    source = (PACKAGE / "Sources/Dagrun/Jobs/JobConfig+Codable.swift").read_text()
    block = source[source.index("enum Key") : source.index("public init(from")]
    keys = set()
    for line in re.findall(r"case (.+)", block):
        for case in line.split(","):
            named = re.search(r'=\s*"(\w+)"', case)
            keys.add(named.group(1) if named else case.strip())
    return keys


def test_the_builder_sets_every_key_of_a_job_config(plugin):
    assert full_builder(plugin).build() == FULL
    # machine_type is another way to say machine_types.
    assert keys_of_swift() == set(FULL) | {"machine_type"}
    assert plugin.JobConfigBuilder().project_id("p").machine_type("n1-standard-8").build()["machine_type"]


def test_dagrun_takes_every_key_of_the_builder(plugin, real_binary, tmp_path):
    spec = {"job": full_builder(plugin).build(), "command": ["true"]}
    done = subprocess.run(
        [real_binary, "job", "render", "--spec", "-", "--part", "spec"],
        input=json.dumps(spec),
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "DAGRUN_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["job"] == FULL


def test_clashs_names_and_order_are_kept(plugin):
    def names(function):
        return [name for name in inspect.signature(function).parameters if name != "self"]

    assert names(plugin.ComputeEngineJobOperator.__init__)[:8] == [
        "job_config",
        "cmd",
        "cmd_file",
        "name_prefix",
        "env_vars",
        "gcs_target",
        "gcs_mounts",
        "timeout_seconds",
    ]
    assert names(plugin.ComputeEngineJobGroupOperator.__init__)[:3] == ["name", "job_factory", "runtime_specs"]
    assert names(plugin.JobFactory.__init__) == ["job_config", "gcloud"]
    assert names(plugin.JobRuntimeSpec.__init__)[:4] == ["args", "env_vars", "gcs_mounts", "gcs_target"]
    for method in (
        "project_id image privileged preemptible zone region subnetwork machine_type service_account disk_image scopes "
        "labels allowed_persistence_regions build"
    ).split():
        assert callable(getattr(plugin.JobConfigBuilder, method))
    assert plugin.ComputeEngineJobOperator.ui_color == "#ceebff"
    assert plugin.ComputeEngineJobGroupOperator.ui_color == "#99d4ff"


def test_a_configuration_of_clashs_readme_is_understood(plugin):
    config = (
        plugin.JobConfigBuilder()
        .project_id("my-gcp-project")
        .image("google/cloud-sdk:latest")
        .machine_type("n1-standard-32")
        .subnetwork("default")
        .preemptible(True)
        .build()
    )
    assert config == {
        "project": "my-gcp-project",
        "image": "google/cloud-sdk:latest",
        "machine_type": "n1-standard-32",
        "subnetwork": "default",
        "provisioning": "spot",
    }


def test_a_dict_with_clashs_keys_is_understood(plugin):
    assert plugin.spec_of_config(
        {
            "project_id": "p",
            "image": "i",
            "privileged": False,
            "preemptible": False,
            "zone": "europe-west1-b",
            "region": "europe-west1",
            "machine_type": "n1-standard-1",
            "disk_image": {"project": "gce-uefi-images", "family": "cos-stable"},
        }
    ) == {
        "project": "p",
        "image": "i",
        "privileged": False,
        "provisioning": "standard",
        "zones": ["europe-west1-b"],
        "machine_type": "n1-standard-1",
    }


def test_a_region_without_a_zone_is_where_google_looks_for_capacity(plugin):
    assert plugin.JobConfigBuilder().project_id("p").region("us-central1").build()["regions"] == ["us-central1"]


def test_a_zone_outside_its_region_is_refused(plugin):
    with pytest.raises(plugin.AirflowFailException, match="europe-west1-b is not in the region us-central1"):
        plugin.JobConfigBuilder().project_id("p").zone("europe-west1-b").region("us-central1").build()


def test_what_is_said_last_counts_and_a_builder_can_start_from_another(plugin):
    first = plugin.JobConfigBuilder().project_id("p").machine_types(["a", "b"]).zones(["x-1", "x-2"])
    second = plugin.JobConfigBuilder(first.config).machine_type("c").zone("y-1").preemptible(True).preemptible(False)
    assert second.build() == {
        "project": "p",
        "image": "google/cloud-sdk",
        "machine_type": "c",
        "zones": ["y-1"],
        "provisioning": "standard",
    }
    assert first.build()["machine_types"] == ["a", "b"]


def test_the_project_is_that_of_the_environment_or_asked_for(plugin, monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "from-outside")
    assert plugin.JobConfigBuilder().build()["project"] == "from-outside"
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    with pytest.raises(plugin.AirflowException, match="names no project"):
        plugin.JobConfigBuilder().build()


def test_a_builder_that_was_not_built_is_named(plugin):
    with pytest.raises(plugin.AirflowFailException, match="build"):
        plugin.spec_of_job(plugin.JobConfigBuilder(), "echo")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"command": 3}, "cmd is of type int"),
        ({"command": ["echo", {"a": 1}]}, "cmd is {'a': 1}"),
        ({"command": "x", "env_vars": {"A": None}}, "environment['A'] is None"),
        ({"command": "x", "gcs_mounts": ["bucket"]}, "gcs_mounts is of type list"),
        ({"command": "x", "timeout_seconds": "1h"}, "timeout_seconds is '1h', and must be a number of seconds, such as 5400 or 0.5"),
    ],
)
def test_wrong_values_are_refused_with_their_names(plugin, arguments, said):
    with pytest.raises(plugin.AirflowFailException) as error:
        plugin.spec_of_job({"project": "p"}, **arguments)
    assert said in str(error.value)


def test_what_a_template_has_divided_or_multiplied_is_a_number(plugin):
    def job(**said):
        return plugin.spec_of_config({"project": "p", **said})

    assert plugin.spec_of_job({"project": "p"}, "x", timeout_seconds="5400.0")["timeout_seconds"] == 5400
    assert plugin.spec_of_job({"project": "p"}, "x", timeout_seconds=" 0.5 ")["timeout_seconds"] == 0.5
    assert job(max_run_duration_seconds="5400.0")["max_run_duration_seconds"] == 5400
    # Google takes whole seconds, and the bound is not to be shorter than was said.
    assert job(max_run_duration_seconds="90.25")["max_run_duration_seconds"] == 91
    assert job(max_run_duration_seconds="none")["max_run_duration_seconds"] == "none"
    whole = job(disk_size_gb="200.0", max_attempts="3")
    assert json.dumps([whole["disk_size_gb"], whole["max_attempts"]]) == "[200, 3]"
    # dagrun refuses it, with the key's name.
    assert job(disk_size_gb="200.5")["disk_size_gb"] == "200.5"


def test_numbers_become_texts_and_empty_commands_are_the_images(plugin):
    spec = plugin.spec_of_job({"project": "p"}, ["run", 3, 0.5], env_vars={"N": 7})
    assert spec["command"] == ["run", "3", "0.5"]
    assert spec["environment"] == {"N": "7"}
    assert "command" not in plugin.spec_of_job({"project": "p"}, [])
