"""The plugin's text: it runs where it says, and tools that read it have nothing to say."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import plugin_source

RULES = "E,F,W,I,B,UP,C4,SIM,RET"
# Tastes that this file does not share; and X | None, which Python 3.9 has in annotations only.
EXCEPT = "SIM105,UP007,UP045"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "dagrun_plugin.py"
    path.write_text(plugin_source())
    return path


def said_by(tool, *arguments):
    path = Path(sys.executable).parent / tool
    if not path.exists():
        pytest.skip(f"SKIPPED, NOT TESTED: there is no {path}")
    done = subprocess.run([path, *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_its_syntax_is_that_of_python_3_9(source):
    # In a process of its own: Python 3.11's parser fails after some of the other tests ("recursion depth mismatch").
    code = "import ast, sys; ast.parse(open(sys.argv[1]).read(), feature_version=(3, 9))"
    done = subprocess.run([sys.executable, "-c", code, str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_it_uses_nothing_newer_than_python_3_9(source):
    status, said = said_by("vermin", "-t=3.9-", "--no-tips", "--violations", "--eval-annotations", source)
    assert status == 0, said


def test_ruff_has_nothing_to_say(source):
    settings = ["--line-length", "120", "--target-version", "py39", "--isolated"]
    status, said = said_by("ruff", "check", *settings, "--select", RULES, "--ignore", EXCEPT, source)
    assert status == 0, said
    status, said = said_by("ruff", "format", "--isolated", "--line-length", "120", "--diff", source)
    assert status == 0, said


def test_mypy_has_nothing_to_say(source, tmp_path):
    """With the types of Airflow 3; Airflow 2 calls the same things by other names."""
    if importlib.util.find_spec("airflow.sdk") is None:
        pytest.skip("SKIPPED, NOT TESTED: types are checked with Airflow 3")
    settings = ["--strict", "--follow-imports=silent", "--cache-dir", tmp_path / "cache"]
    status, said = said_by("mypy", *settings, source)
    assert status == 0, said
