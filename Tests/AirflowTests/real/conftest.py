"""Fixtures of the tests in real Airflow: one cloud, one database server and one Airflow for all of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import world  # noqa: E402


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    # Not pytest's own: the user of PostgreSQL has to get there.
    path = Path(tempfile.mkdtemp(prefix="dagrun-airflow-"))
    path.chmod(0o755)
    world.take_in_orphans()
    yield path
    world.end_orphans()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def emulator(real_binary: str, folder: Path) -> Iterator[world.Emulator]:
    emulator = world.Emulator(real_binary, folder / "emulator")
    yield emulator
    emulator.service.stop()


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[world.PostgreSQL]:
    if not world.postgres_program("initdb"):
        pytest.skip("SKIPPED, NOT TESTED: there is no PostgreSQL, by which Airflow runs several tasks at once: "
                    "scripts/install-packages")
    postgres = world.PostgreSQL(folder / "postgres")
    yield postgres
    postgres.service.stop(world.signal.SIGINT)


@pytest.fixture(scope="session")
def airflow(
    real_binary: str, folder: Path, emulator: world.Emulator, postgres: world.PostgreSQL
) -> Iterator[world.Airflow]:
    """With the plugin that this binary writes, and the DAGs of these tests; nothing is started."""
    home = folder / "airflow"
    environment = {
        **emulator.environment,
        "DAGRUN_TEST_REPORTS": str(folder / "reports"),
        "DAGRUN_DAGS_FOLDER": str(home / "swift" / "dags"),
        # On an emulator nothing takes as long as on Google.
        "DAGRUN_JOB_TIMINGS": '{"graceSeconds": 2, "firstLookSeconds": 0.3, "logGraceSeconds": 2}',
        "GOOGLE_CLOUD_PROJECT": "airflow-tests",
    }
    (folder / "reports").mkdir()
    airflow = world.Airflow(home, postgres, "airflow", environment)
    plugin = home / "plugins" / "dagrun_plugin.py"
    subprocess.run([real_binary, "airflow-plugin", "-o", str(plugin), "--binary", real_binary], check=True)
    here = Path(__file__).parent
    shutil.copytree(here / "swift", home / "swift", dirs_exist_ok=True)
    for dag in (here / "dags").glob("*.py"):
        shutil.copy(dag, home / "dags")
    yield airflow
    airflow.stop()


@pytest.fixture(scope="session")
def running_airflow(airflow: world.Airflow) -> Iterator[world.Airflow]:
    with world.started(airflow):
        yield airflow
