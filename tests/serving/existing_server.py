"""Ours in compatibility mode and the existing server itself, started alike and asked alike.

The tests of ``test_existing_*.py`` name rows of the tables of spec/scoring-server.md and run against both, so that a
row that was misread fails too.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .interpreters import environment
from .running import Server, write_script

OURS, EXISTING = "ours", "theirs"
PACKAGES = ("azureml-inference-server-http", "inference-schema[numpy-support]")
PYTHON = "3.11"

Start = Callable[..., "Twin"]


# Most of a start of the existing server is the import of what it uses. One process does that, and each server is a fork
# of it that goes on as ``python -m azureml_inference_server_http`` would. Its exit status goes into a file.
_FORKING = """
import json, os, runpy, sys, traceback
import azure.monitor.opentelemetry.exporter, flask, flask_cors, gunicorn.app.wsgiapp, gunicorn.config
import gunicorn.workers.sync
import inference_schema.schema_util, numpy, pydantic_settings

def serve(asked, out):
    for descriptor in (1, 2):
        os.dup2(out, descriptor)
    os.close(out)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(asked["cwd"])
    gunicorn.config.Chdir.default = asked["cwd"]  # what it was when that module was imported
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.path[0] = asked["cwd"]
    sys.argv = ["azmlinfsrv"] + asked["arguments"]
    status = 0
    try:
        runpy.run_module("azureml_inference_server_http", run_name="__main__", alter_sys=True)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

for line in sys.stdin:
    asked = json.loads(line)
    reading, writing = os.pipe()
    if os.fork() == 0:
        out = os.open(asked["out"], os.O_WRONLY)
        server = os.fork()
        if server == 0:
            os.setsid()
            serve(asked, out)
        os.write(writing, b"%d\\n" % server)
        status = os.waitpid(server, 0)[1]
        with open(asked["status"] + ".new", "w") as file:
            file.write(str(os.waitstatus_to_exitcode(status)))
        os.rename(asked["status"] + ".new", asked["status"])
        os._exit(0)
    print(int(os.read(reading, 20)), flush=True)
    os.close(reading)
    os.close(writing)
"""


@functools.cache
def _forking(python: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([python, "-c", _FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.kill)
    return process


class _Forked:
    """A server that was forked, as ``subprocess.Popen`` would have it."""

    def __init__(self, python: str, arguments: list[str], cwd: Path, env: dict[str, str]) -> None:
        place = cwd.with_name(f"{cwd.name}-process")
        place.mkdir()
        self._status = place / "status"
        os.mkfifo(place / "out")
        reading = os.open(place / "out", os.O_RDONLY | os.O_NONBLOCK)  # else it would wait for a writer
        os.set_blocking(reading, True)
        self.stdout = os.fdopen(reading, "r", errors="replace")
        asked = {"arguments": arguments, "cwd": str(cwd), "env": env, "out": str(place / "out")}
        forking = _forking(python)
        assert forking.stdin is not None and forking.stdout is not None
        forking.stdin.write(json.dumps({**asked, "status": str(self._status)}) + "\n")
        forking.stdin.flush()
        self.pid = int(forking.stdout.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and self._status.exists():
            self.returncode = int(self._status.read_text())
        return self.returncode

    def wait(self, timeout: float = 60.0) -> int:
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("azmlinfsrv", timeout)
            time.sleep(0.02)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and its status is about to be written
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


class Twin(Server):
    """One of the two, started by the existing server's command line.

    Args:
        side: ``OURS`` or ``EXISTING``.
        folder: the working directory.
        arguments: the existing server's options, but for ``--port``, which is added.
    """

    def __init__(self, side: str, folder: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.side, self.folder, self.control = side, folder, None
        self.port = _free_port()
        # Scripts run in the same environment on both sides, so that their packages are the same too.
        python = environment(PYTHON, *PACKAGES)
        given = ["--port", str(self.port), *arguments]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AZUREML_", "AML_", "SERVICE_", "WORKER_"))}
        self.lines: list[str] = []
        self._listening = threading.Event()
        environ = {**clean, "PYTHONUNBUFFERED": "1", **(env or {})}
        if side == OURS:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sendoff_serving.existing_command", "--python", python, *given],
                cwd=folder,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        else:
            self.process = _Forked(python, given, folder, environ)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_listening(self, seconds: float = 60.0) -> Twin:
        end = time.monotonic() + seconds
        while True:
            try:
                if self.get("/").status == 200:
                    return self
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end, self.log
                time.sleep(0.02)


@pytest.fixture(scope="module", params=[OURS, EXISTING])
def twin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start one of the two: ``twin(script, *arguments, env=…, files={name: text})``, once for what is asked alike."""
    running: dict[str, Twin] = {}

    def start(
        script: str | None,
        *arguments: str,
        env: dict[str, str] | None = None,
        files: dict[str, str] | None = None,
        named: bool = True,
        wait: bool = True,
    ) -> Twin:
        key = repr((script, arguments, env, files, named))
        if key not in running:
            folder = tmp_path_factory.mktemp("twin")
            (folder / "code").mkdir()
            if script is not None:
                write_script(folder, script, "code/score.py")
                arguments = (*arguments, "--entry_script", "code/score.py") if named else arguments
            for name, text in (files or {}).items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text)
            running[key] = Twin(request.param, folder, *arguments, env=env)
        return running[key].wait_listening() if wait else running[key]

    yield start
    for server in running.values():
        if server.process.poll() is None:
            server.process.terminate()
    for server in running.values():
        server.stop()
