"""`dagrun airflow-plugin deploy`: by a stand-in for gcloud that records how it is called, and by gcloud itself against a
server here that answers as Cloud Composer and Cloud Storage do. Needs no Airflow."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PROTOCOL

ENVIRONMENT = ("--composer-environment", "nightly", "--location", "europe-west1", "--project", "my-project")
PLACE = ["--location=europe-west1", "--project=my-project", "--quiet"]


def deploy(binary: str, environment: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [binary, "airflow-plugin", "deploy", *ENVIRONMENT, *more], env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )


# A stand-in for gcloud


@pytest.fixture
def gcloud(tmp_path: Path) -> Path:
    """Writes its arguments to `calls`, one JSON list a line, and keeps the files that it is given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "gcloud"
    program.write_text(
        f"""#!{sys.executable}
import json, os, shutil, sys
here = os.path.dirname(__file__)
with open(here + "/calls", "a") as calls: calls.write(json.dumps(sys.argv[1:]) + "\\n")
if os.environ.get("FAIL_AT", "-") in sys.argv:
    print(os.environ["FAILURE"], file=sys.stderr)
    sys.exit(1)
for argument in sys.argv:
    if argument.startswith("--source="): shutil.copy(argument[9:], here)
if "describe" in sys.argv: print("gs://europe-west1-nightly-1-bucket/dags")
""")
    program.chmod(0o755)
    return folder


def calls(gcloud: Path) -> list[list[str]]:
    path = gcloud / "calls"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def with_path(*folders: Path | str, **more: str) -> dict[str, str]:
    return {**os.environ, "PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]]), **more}


def test_the_archive_is_copied_first_and_the_plugin_that_uses_it_last(real_binary: str, gcloud: Path) -> None:
    done = deploy(real_binary, with_path(gcloud))
    assert done.returncode == 0, done.stderr
    told = calls(gcloud)
    assert told[0] == [
        "composer", "environments", "describe", "nightly", *PLACE, "--format=value(config.dagGcsPrefix)"]
    copying = ["composer", "environments", "storage", "plugins", "import", "--environment=nightly", *PLACE]
    assert [call[:-1] for call in told[1:]] == [copying, copying]
    sources = [call[-1].removeprefix("--source=") for call in told[1:]]
    assert [os.path.basename(source) for source in sources] == ["dagrun.tar.gz", "dagrun_plugin.py"]
    assert not any(os.path.exists(os.path.dirname(source)) for source in sources), "it leaves files behind"
    assert "gs://europe-west1-nightly-1-bucket/plugins" in done.stdout
    plugin = (gcloud / "dagrun_plugin.py").read_text()
    assert 'BINARY = "/home/airflow/gcs/plugins/dagrun.tar.gz"' in plugin


def test_the_archive_runs_where_it_is_unpacked(real_binary: str, gcloud: Path, tmp_path: Path) -> None:
    assert deploy(real_binary, with_path(gcloud)).returncode == 0
    with tarfile.open(gcloud / "dagrun.tar.gz") as archive:
        names = archive.getnames()
        archive.extractall(tmp_path / "there")
    assert "dagrun" in names and "libswiftCore.so" in names
    assert any(name.startswith("libsqlite3.so") for name in names)
    assert not any(name.startswith(("libc.so", "libcrypto.so")) for name in names)
    binary = tmp_path / "there" / "dagrun"
    answer = subprocess.run([binary, "version", "-o", "json"], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["protocol"] == PROTOCOL
    loaded = subprocess.run(["ldd", str(tmp_path / "there" / "libFoundation.so")], capture_output=True, text=True)
    assert str(tmp_path / "there") in loaded.stdout


def test_a_rehearsal_copies_nothing(real_binary: str, gcloud: Path) -> None:
    done = deploy(real_binary, with_path(gcloud), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert calls(gcloud) == []
    lines = [line for line in done.stdout.splitlines() if line.startswith("gcloud ")]
    assert len(lines) == 3 and lines[2].endswith("dagrun_plugin.py")
    assert re.search(r"has to have: glibc 2\.\d+ or newer, .*libcrypto\.so\.3.*libcurl\.so\.4", done.stderr), done.stderr


def test_without_gcloud_it_says_what_to_install(real_binary: str) -> None:
    done = deploy(real_binary, {**os.environ, "PATH": "/nonexistent"})
    assert done.returncode == 5
    assert "gcloud cannot be run" in done.stderr and "install the Google Cloud CLI" in done.stderr


@pytest.mark.parametrize(("at", "said", "status", "advice"), [
    ("describe", "ERROR: (gcloud.composer.environments.describe) You do not currently have an active account selected.",
     5, "gcloud auth login"),
    ("describe", "ERROR: (gcloud.composer.environments.describe) NOT_FOUND: Requested entity was not found.", 3,
     "gcloud composer environments list"),
    ("import", "WARNING: old\nERROR: (gcloud.composer.environments.storage.plugins.import) HTTPError 403: no", 5, "storage.objectAdmin"),
    ("import", "", 5, "said nothing"),
])
def test_what_gcloud_refuses_is_said_with_what_to_do(
    real_binary: str, gcloud: Path, at: str, said: str, status: int, advice: str
) -> None:
    done = deploy(real_binary, with_path(gcloud, FAIL_AT=at, FAILURE=said))
    assert done.returncode == status, done.stderr
    assert advice in done.stderr and "error: cannot " in done.stderr
    assert said.splitlines()[-1:] == [] or said.splitlines()[-1] in done.stderr
    assert done.stdout == ""
    assert len(calls(gcloud)) == (1 if at == "describe" else 2), "it continued after a failure"


@pytest.mark.parametrize(("content", "status", "words"), [
    (None, 3, "there is no binary"),
    (b"#!/bin/sh\necho 1\n", 2, "not a program for Linux on x86-64"),
    (b"\x7fELF\x02\x01\x01" + b"\0" * 11 + b"\xb7\0" + b"\0" * 80, 2, "not a program for Linux on x86-64"),
    ("another", 2, "does not say which protocol"),
])
def test_a_binary_that_cannot_run_there_is_refused(
    real_binary: str, gcloud: Path, tmp_path: Path, content: bytes | str | None, status: int, words: str
) -> None:
    binary = tmp_path / "dagrun"
    if content == "another":
        shutil.copy(shutil.which("true") or "/bin/true", binary)
    elif isinstance(content, bytes):
        binary.write_bytes(content)
    done = deploy(real_binary, with_path(gcloud), "--binary", str(binary))
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    assert calls(gcloud) == []


# gcloud itself


class Google(http.server.BaseHTTPRequestHandler):
    """Composer's environments.get and Cloud Storage's object upload (multipart and resumable), as gcloud uses them."""

    objects: dict[str, bytes]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urllib.parse.urlsplit(self.path).path
        if path == "/v1/projects/my-project/locations/europe-west1/environments/nightly":
            self.answer(200, {"name": path.removeprefix("/v1/"), "config": {"dagGcsPrefix": "gs://nightly-bucket/dags"},
                              "storageConfig": {"bucket": "nightly-bucket"}})
        elif "/environments/forbidden" in path:
            self.refuse(403, "PERMISSION_DENIED", "The caller does not have permission")
        else:
            self.refuse(404, "NOT_FOUND", "Requested entity was not found.")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        assert url.path.removeprefix("/resumable") == "/upload/storage/v1/b/nightly-bucket/o", self.path
        if query["uploadType"] == "resumable":
            name = query["name"]
            self.answer(200, {}, Location=f"http://{self.headers['Host']}/resume/{urllib.parse.quote(name, safe='')}")
            return
        # gcloud quotes the boundary in its own way: of the body's two parts, the second is the object.
        boundary = re.search(r"boundary='?([^';]+)'?", self.headers["Content-Type"]).group(1)
        content = body.split(f"--{boundary}".encode())[2].split(b"\n\n", 1)[1].removesuffix(b"\n")
        self.keep(query["name"], content)

    def do_PUT(self) -> None:
        name = urllib.parse.unquote(self.path.removeprefix("/resume/"))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        first, last, whole = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", self.headers["Content-Range"]).groups()
        content = self.objects.get(name, b"")[: int(first)] + body
        if whole == str(int(last) + 1):
            self.keep(name, content)
        else:
            self.objects[name] = content
            self.answer(308, {}, Range=f"bytes=0-{last}")

    def keep(self, name: str, content: bytes) -> None:
        self.objects[name] = content
        digest = base64.b64encode(hashlib.md5(content).digest()).decode()
        self.answer(200, {"name": name, "bucket": "nightly-bucket", "size": str(len(content)), "md5Hash": digest})

    def answer(self, status: int, value: object, **headers: str) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status: int, code: str, message: str) -> None:
        self.answer(status, {"error": {"code": status, "status": code, "message": message}})

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def google(tmp_path: Path) -> Iterator[tuple[dict[str, str], dict[str, bytes]]]:
    """The environment that leads gcloud to a server here, and what was uploaded to it."""
    if not shutil.which("gcloud"):
        pytest.skip("SKIPPED, NOT TESTED: there is no gcloud, so its own reading of the command lines is not tried")
    handler = type("Handler", (Google,), {"objects": {}})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "token").write_text("no-secret")
    environment = {
        **os.environ,
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPOSER": base + "/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": base + "/storage/v1/",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(tmp_path / "token"),
    }
    yield environment, handler.objects
    server.shutdown()
    server.server_close()


def test_gcloud_itself_uploads_both(real_binary: str, google: tuple[dict[str, str], dict[str, bytes]]) -> None:
    environment, objects = google
    done = deploy(real_binary, environment)
    assert done.returncode == 0, done.stderr
    assert sorted(objects) == ["plugins/dagrun.tar.gz", "plugins/dagrun_plugin.py"]
    with tarfile.open(fileobj=io.BytesIO(objects["plugins/dagrun.tar.gz"])) as archive:
        assert "dagrun" in archive.getnames()
    assert b"class DagrunPlugin(AirflowPlugin)" in objects["plugins/dagrun_plugin.py"]
    assert "gs://nightly-bucket/plugins" in done.stdout


@pytest.mark.parametrize(("name", "status", "advice"), [
    ("nosuch", 3, "gcloud composer environments list"), ("forbidden", 5, "composer.user"),
])
def test_what_gcloud_itself_refuses(
    real_binary: str, google: tuple[dict[str, str], dict[str, bytes]], name: str, status: int, advice: str
) -> None:
    environment, objects = google
    done = subprocess.run(
        [real_binary, "airflow-plugin", "deploy", f"--composer-environment={name}", *PLACE[:2]], env=environment,
        capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == status, done.stderr
    assert advice in done.stderr
    assert objects == {}


def test_gcloud_itself_says_that_nobody_is_logged_in(
    real_binary: str, google: tuple[dict[str, str], dict[str, bytes]]
) -> None:
    environment, _ = google
    del environment["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"]
    done = deploy(real_binary, environment)
    assert done.returncode == 5, done.stderr
    assert "log in: gcloud auth login" in done.stderr
