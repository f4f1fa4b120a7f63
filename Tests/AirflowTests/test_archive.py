"""A program that may not be executed where it lies, as on Cloud Composer: alone, and in an archive with its libraries."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import tarfile
import threading
from pathlib import Path
from types import ModuleType

import pytest
from conftest import PROTOCOL

SCRIPT = f"""#!/bin/sh\necho '{{"version": "0.1.0", "protocol": {PROTOCOL}}}'\n"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGRUN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def archive(folder: Path, script: str = SCRIPT, name: str = "dagrun") -> Path:
    packed = folder / "packed"
    packed.mkdir(exist_ok=True)
    (packed / name).write_text(script)
    (packed / name).chmod(0o755)
    (packed / "libswiftCore.so").write_text("a library")
    with tarfile.open(folder / "dagrun.tar.gz", "w:gz") as file:
        for path in packed.iterdir():
            file.add(path, path.name)
    return folder / "dagrun.tar.gz"


def use(monkeypatch: pytest.MonkeyPatch, plugin: ModuleType, path: Path) -> None:
    monkeypatch.delenv("DAGRUN_BINARY", raising=False)
    monkeypatch.setattr(plugin, "BINARY", str(path))


def test_an_archive_is_unpacked_once_and_run(
    plugin: ModuleType, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(tmp_path)
    path.chmod(0o755)  # as some mounts show every file
    use(monkeypatch, plugin, path)
    binary = Path(plugin.Binary().check())
    assert binary.name == "dagrun" and (binary.parent / "libswiftCore.so").exists()
    assert plugin.Binary().check() == str(binary)
    assert [entry.name for entry in (home / "bin").iterdir()] == [binary.parent.name]


def test_a_new_archive_is_unpacked_anew(
    plugin: ModuleType, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, plugin, archive(tmp_path))
    first = plugin.Binary().check()
    use(monkeypatch, plugin, archive(tmp_path, SCRIPT + "# another\n"))
    second = plugin.Binary().check()
    assert first != second and "another" in Path(second).read_text()


def test_many_processes_may_unpack_it_at_once(
    plugin: ModuleType, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, plugin, archive(tmp_path))
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(plugin.Binary().path)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1
    assert len(list((home / "bin").iterdir())) == 1


def test_half_an_archive_says_what_is_wrong_and_leaves_nothing(
    plugin: ModuleType, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(tmp_path, SCRIPT + "\n".join(f"# {number}" for number in range(50_000)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    use(monkeypatch, plugin, path)
    with pytest.raises(plugin.AirflowException, match="arrived as a whole"):
        plugin.Binary().check()
    assert list((home / "bin").iterdir()) == []


def test_an_archive_of_something_else_is_refused(
    plugin: ModuleType, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, plugin, archive(tmp_path, name="another"))
    with pytest.raises(plugin.AirflowException, match="no program dagrun in it(.|\n)*--bundle-binary"):
        plugin.Binary().check()


def test_a_single_program_is_copied(
    plugin: ModuleType, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dagrun"
    path.write_text(SCRIPT)
    path.chmod(0o644)
    use(monkeypatch, plugin, path)
    binary = plugin.Binary().check()
    assert binary != str(path) and os.access(binary, os.X_OK)


def test_the_program_itself_is_bundled_beside_the_plugin(
    real_binary: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "plugins" / "dagrun_plugin.py"
    written.parent.mkdir()
    command = [real_binary, "airflow-plugin", "--bundle-binary", "-o", str(written)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(written.parent / "dagrun.tar.gz"), str(written)]
    assert sorted(path.name for path in written.parent.iterdir()) == ["dagrun.tar.gz", "dagrun_plugin.py"]
    # As in a pod: no program in PATH, and no variable.
    monkeypatch.delenv("DAGRUN_BINARY", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    specification = importlib.util.spec_from_file_location("bundled_plugin", written)
    bundled = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(bundled)
    path = bundled.Binary().check()
    assert path.startswith(str(home / "bin"))


def test_a_home_that_cannot_be_written_is_said(
    plugin: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGRUN_HOME", "/dev/null/home")
    use(monkeypatch, plugin, archive(tmp_path))
    with pytest.raises(plugin.AirflowException, match="set DAGRUN_HOME"):
        plugin.Binary().check()
