"""What docs/airflow.md says to somebody who has nothing yet, as it stands there."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

LONGEST_SECONDS = 240
DOCUMENT = Path(__file__).resolve().parents[3] / "docs/airflow.md"


def commands(heading: str) -> list[str]:
    """The lines of the first block below a heading."""
    lines = DOCUMENT.read_text().split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0].splitlines()
    begin = next(index for index, line in enumerate(lines) if line.startswith("    "))
    end = next((index for index in range(begin, len(lines)) if lines[index] and not lines[index].startswith("    ")), None)
    return [line[4:] for line in lines[begin:end]]


def test_the_first_example_succeeds_as_it_stands(real_binary: str, tmp_path: Path) -> None:
    lines = commands("## Trying it without an account")
    assert lines[0] == "pip install apache-airflow"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/dagrun").symlink_to(real_binary)
    path = f"{tmp_path}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
    # The emulator is the one that the example has put into the background.
    script = "\n".join(["trap 'kill $!; wait $!' EXIT", *lines[1:], "dagrun emulator inventory --empty"])
    done = subprocess.run(
        # Not Python's own timeout, which kills the shell alone: what that has begun would stay, and be waited for.
        ["timeout", "--kill-after=20", str(LONGEST_SECONDS), "bash", "-eu", "-c", script],
        cwd=tmp_path,
        env={
            "PATH": path,
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "DAGRUN_MODULE_CACHE": os.environ.get("DAGRUN_MODULE_CACHE", ""),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    database = sqlite3.connect(tmp_path / "airflow/airflow.db")
    try:
        assert database.execute("SELECT dag_id, state FROM dag_run").fetchall() == [("hello", "success")], done.stdout[-6000:]
    finally:
        database.close()
