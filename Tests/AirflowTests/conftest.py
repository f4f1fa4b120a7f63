"""The plugin under test, and a stand-in for the program dagrun.

The plugin is put together from Sources/AirflowPlugin/Python as `dagrun airflow-plugin` does it, unless DAGRUN_PLUGIN names
a file. The stand-in is a Python script that speaks the plugin's protocol as far as a test says, and records how it was
called.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import textwrap
import time
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2]

# Airflow reads its configuration when it is first imported: a home of the tests' own, before that.
os.environ.setdefault("AIRFLOW_HOME", str(PACKAGE / ".build" / "airflow-tests" / f"home-{os.getpid()}"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
os.environ.setdefault("AIRFLOW__CORE__UNIT_TEST_MODE", "False")


def protocol_number() -> int:
    """The one that the program says, and fills into the plugin that it writes."""
    source = (PACKAGE / "Sources/CLI/Commands/VersionCommand.swift").read_text()
    found = re.search(r"static let protocolNumber = (\d+)", source)
    assert found, "VersionCommand.swift says no protocolNumber"
    return int(found.group(1))


PROTOCOL = protocol_number()


def plugin_source() -> str:
    parts = sorted((PACKAGE / "Sources/AirflowPlugin/Python").glob("*.py"))
    text = "".join(part.read_text() for part in parts)
    return text.replace("@VERSION@", "0.1.0").replace("@PROTOCOL@", str(PROTOCOL)).replace("@BINARY@", "dagrun")


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    """The module dagrun_plugin."""
    path = os.environ.get("DAGRUN_PLUGIN")
    if not path:
        path = str(tmp_path_factory.mktemp("plugin") / "dagrun_plugin.py")
        Path(path).write_text(plugin_source())
    specification = importlib.util.spec_from_file_location("dagrun_plugin", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules["dagrun_plugin"] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def real_binary() -> str:
    path = os.environ.get("DAGRUN_BINARY") or str(PACKAGE / ".build/debug/dagrun")
    if not os.access(path, os.X_OK):
        pytest.skip(f"SKIPPED, NOT TESTED: there is no dagrun at {path}; build it, or set DAGRUN_BINARY")
    return os.path.abspath(path)


class StandIn:
    """A program in place of dagrun. Its script has `argv`, `stdin`, `say(line)`, `answer(value)`, `leash` (a descriptor or
    None), `taken()` (waits on the leash; whether the result was taken) and `note(word)`, which the test reads in `notes`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = str(folder / "dagrun")
        self.calls_file = folder / "calls"
        self.notes_file = folder / "notes"

    def plays(self, script: str, *, version: str = "0.1.0", protocol: int = PROTOCOL) -> StandIn:
        Path(self.path).write_text(
            f"#!{sys.executable}\n"
            + textwrap.dedent(
                f"""
                import json, os, signal, sys, time
                argv = sys.argv[1:]
                if argv[:1] == ["version"]:
                    print(json.dumps({{"version": {version!r}, "protocol": {protocol!r}}}))
                    sys.exit(0)
                leash = None
                if "--leash" in argv:
                    leash = int(argv[argv.index("--leash") + 1])
                # Not with print: a signal's handler that prints while a print is under way fails ("reentrant call").
                def say(line): os.write(2, line.encode() + b"\\n")
                def answer(value): os.write(1, json.dumps(value).encode() + b"\\n")
                def note(word):
                    with open({str(self.notes_file)!r}, "a") as file: file.write(word + "\\n")
                def taken():
                    word = b""
                    while True:
                        data = os.read(leash, 100)
                        if not data: note("leash ended"); return False
                        word += data
                        if word.endswith(b"\\n"): note("told " + word.decode().strip()); return word == b"taken\\n"
                stdin = "" if "serve" in argv else sys.stdin.read()
                with open({str(self.calls_file)!r}, "a") as file:
                    file.write(json.dumps({{"argv": argv, "stdin": stdin, "pid": os.getpid(), "session": os.getsid(0),
                        "home": os.environ.get("DAGRUN_HOME")}}) + "\\n")
                """
            )
            + textwrap.dedent(script)
        )
        os.chmod(self.path, 0o755)
        # The plugin remembers a program by its path, size and time.
        os.utime(self.path, ns=(time.time_ns(), time.time_ns()))
        return self

    @property
    def calls(self) -> list[dict]:
        if not self.calls_file.exists():
            return []
        return [json.loads(line) for line in self.calls_file.read_text().splitlines()]

    @property
    def notes(self) -> list[str]:
        return self.notes_file.read_text().splitlines() if self.notes_file.exists() else []

    def wait_for_note(self, word: str, seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while word not in self.notes:
            assert time.monotonic() < end, f"no note {word!r}; there are {self.notes}"
            time.sleep(0.01)


@pytest.fixture
def stand_in(tmp_path, monkeypatch) -> StandIn:
    program = StandIn(tmp_path)
    monkeypatch.setenv("DAGRUN_BINARY", program.path)
    monkeypatch.delenv("DAGRUN_HOME", raising=False)
    return program.plays("answer({})")
